/** A module that is never loaded: whoever imports it waits forever. */
import { behavior } from 'spimpl-runtime'

await new Promise(() => {})

export const never = behavior<{ readonly type: 'never' }>(() => ({ never: () => {} }))
