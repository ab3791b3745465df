/** The one error class of this package; `code` is what programs match on. See index.d.ts. */
export class AddonError extends Error {
  name = 'AddonError'

  constructor(code, message) {
    super(message)
    this.code = code
  }
}
