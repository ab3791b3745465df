/** Loaded before every test file: properties draw the same cases in every run, so that a red run is about the change, not about luck. */
import fc from 'fast-check'

// SPIMPL_SEED=2 npm test draws others; a property that fails prints what replays it.
fc.configureGlobal({ seed: Number(process.env.SPIMPL_SEED ?? 1) })
