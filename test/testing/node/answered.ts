import { SpimplError } from '../../../src/errors.ts'

/**
 * The answer to a request over real UDP. A machine that is busy may answer too late, and discv5 does not repeat a request: whoever asks
 * does.
 */
export async function answered<T>(ask: () => Promise<T>, tries = 5): Promise<T> {
  for (let left = tries - 1; ; left--) {
    try {
      return await ask()
    } catch (error) {
      if (left === 0 || !(error instanceof SpimplError) || error.code !== 'REQUEST_TIMEOUT') throw error
    }
  }
}
