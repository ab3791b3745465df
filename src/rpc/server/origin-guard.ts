import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'

const isLoopbackName = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost')

const isLoopback = (address: string): boolean => address === '::1' || /^127\./.test(address)

/** Where a server listens: the host that was asked for, and the address that it resolved to. */
export interface BoundHost {
  readonly name: string
  readonly address: string
}

/**
 * Keeps web pages away from a server that trusts everybody who reaches it.
 *
 * - DNS rebinding: a page of evil.example whose name suddenly resolves to 127.0.0.1 sends `Host: evil.example`. On
 *   loopback only names of this machine and literal addresses are served.
 * - Cross-site requests, including WebSocket (which browsers do not restrict): they carry an `Origin`, which must be
 *   the host that is asked.
 *
 * @returns why the request is refused, or undefined
 */
export function refuseOrigin(headers: IncomingHttpHeaders, bound: BoundHost): string | undefined {
  const host = hostName(headers.host)
  if (isLoopback(bound.address)) {
    const served = host !== undefined && (isLoopbackName(host) || isIP(host) !== 0 || host === bound.name.toLowerCase())
    if (!served) return `expected the Host header to name this machine, got ${JSON.stringify(headers.host ?? '')}`
  }
  const { origin } = headers
  if (origin === undefined) return undefined
  let originHost: string | undefined
  try {
    originHost = new URL(origin).host
  } catch {
    // `null`, from a sandboxed page or a file.
  }
  return originHost === headers.host
    ? undefined
    : `expected no request from another site, got Origin ${JSON.stringify(origin)}`
}

/** The name of a Host header without port and brackets, in lower case. */
function hostName(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? '') ?? []
  return (bracketed ?? plain)?.toLowerCase()
}
