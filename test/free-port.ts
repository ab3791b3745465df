import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** Below those that a system gives to whoever asks for any (RFC 6335; Linux: from 32768), above those that have an owner. */
const FIRST = 20_000
const LAST = 32_000

/** A port for a program that cannot be told 0: it is free now, and nobody is given it by chance until that program has it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    if ((await udpIsFree(port)) && (await tcpIsFree(port))) return port
  }
}

function udpIsFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise(resolve => {
    socket.once('error', () => socket.close(() => resolve(false)))
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}

function tcpIsFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
