/**
 * Opens something on a port, and after that only on the port that it got the first time: port 0 takes a free one, and
 * what a restart opens must be where peers and clients expect it.
 */
export function onSamePort<Options extends { readonly port: number }, Opened>(
  open: (options: Options) => Promise<Opened>,
  portOf: (opened: Opened) => number,
): (options: Options) => Promise<Opened> {
  let port: number | undefined
  return async options => {
    const opened = await open({ ...options, port: port ?? options.port })
    port = portOf(opened)
    return opened
  }
}
