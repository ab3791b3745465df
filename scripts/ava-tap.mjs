// `node scripts/ava-tap.mjs AVA ARGUMENTS...`: `ava --tap` with two things mended that the TAP reporter of ava 6 lacks.
// - It expects of every error the copy that a test's process sent, and so ends itself with a TypeError where ava made the error: when a
//   test calls process.exit(), or hangs. (ava 8 does not, and needs Node 22.)
// - The place of a failure is the first line of its stack, which is inside of ava. Here it is the lines of the project.
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const MAX_FRAMES = 6

const [node, , ava, ...args] = process.argv
const fileOf = name => pathToFileURL(path.join(path.dirname(path.dirname(ava)), 'lib', 'reporters', `${name}.js`)).href
const { default: TapReporter } = await import(fileOf('tap'))
const { default: beautifyStack } = await import(fileOf('beautify-stack'))

/** The reporter shows the second line, so all frames are on it. */
const placeOf = stack => `\n    at ${beautifyStack(stack).slice(0, MAX_FRAMES).join(' < ')}`

for (const name of ['writeTest', 'writeCrash']) {
  const write = TapReporter.prototype[name]
  TapReporter.prototype[name] = function (event, ...more) {
    this.sanitizeStackOutput = placeOf
    const { err } = event
    // Hidden, because the reporter shows what an error has.
    if (err !== undefined && err.originalError === undefined)
      Object.defineProperty(err, 'originalError', { value: err })
    return write.call(this, event, ...more)
  }
}

process.argv = [node, ava, ...args, '--tap']
await import(pathToFileURL(ava).href)
