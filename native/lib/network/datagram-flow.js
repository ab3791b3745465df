// Flows without Network framework: node:dgram for the datagrams, rtnetlink for the network path.
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { NetworkPathMonitor } from './network-path.js'

/** Errors that may go away on another network, or later. */
const HEALABLE = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EAI_AGAIN'])

/** The most flows of one listener; datagrams of further remotes are dropped. */
const MOST_FLOWS = 1024

/** The most datagrams that an accepted flow keeps until it is started; later ones are dropped, as by a full socket. */
const MOST_EARLY = 1024

/** The errno of an error, as Network framework reports it; node negates it. */
const numberOf = error => Math.abs(error.errno ?? 0)

const familyOf = host => (isIPv6(host) ? 'udp6' : 'udp4')

/** One path monitor for all flows of this thread, as long as there are flows. */
const watchers = new Set()
let monitor

function watch(watcher) {
  watchers.add(watcher)
  monitor ??= new NetworkPathMonitor(path => {
    for (const each of watchers) each(path)
  })
  return monitor.path
}

function unwatch(watcher) {
  watchers.delete(watcher)
  if (watchers.size > 0) return
  monitor?.cancel()
  monitor = undefined
}

/** Passes on the datagrams of one turn of the event loop as one batch. */
class Batch {
  #datagrams = []
  #deliver

  constructor(deliver) {
    this.#deliver = deliver
  }

  add(bytes) {
    if (this.#datagrams.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) > 1) return
    setImmediate(() => {
      const batch = this.#datagrams
      this.#datagrams = []
      this.#deliver(batch)
    })
  }
}

/** A flow with a socket of its own. */
export class DatagramFlow {
  #host
  #port
  #localPort
  #socket
  #observer
  #cancelled = false
  #ready = false
  #interfaceThen
  #watcher = path => this.#pathChanged(path)

  constructor(host, port, localPort) {
    this.#host = host
    this.#port = port
    this.#localPort = localPort
  }

  start(observer) {
    this.#observer = observer
    watch(this.#watcher)
    queueMicrotask(() => this.#prepare())
  }

  send(batch) {
    if (this.#cancelled) return false
    for (const bytes of batch) {
      this.#socket.send(bytes, error => {
        if (error && !this.#cancelled) this.#observer.sendError(numberOf(error))
      })
    }
    return true
  }

  cancel() {
    if (this.#cancelled) return
    this.#cancelled = true
    unwatch(this.#watcher)
    this.#socket?.close()
    if (this.#observer !== undefined) queueMicrotask(() => this.#observer.state('cancelled', 0))
  }

  #prepare() {
    if (this.#cancelled) return
    this.#observer.state('preparing', 0)
    const socket = createSocket({ type: familyOf(this.#host), reuseAddr: this.#localPort !== 0 })
    this.#socket = socket
    const batch = new Batch(datagrams => {
      if (!this.#cancelled) this.#observer.datagrams(datagrams)
    })
    socket.on('message', bytes => batch.add(bytes))
    socket.once('error', error => this.#refused(error))
    socket.bind(this.#localPort, () => {
      if (this.#cancelled) return
      socket.connect(this.#port, this.#host, error => {
        if (this.#cancelled) return
        if (error) return this.#refused(error)
        this.#ready = true
        this.#interfaceThen = monitor?.path?.defaultInterface
        this.#observer.state('ready', 0)
        this.#lookAt(monitor.path)
      })
    })
  }

  #refused(error) {
    if (this.#cancelled) return
    if (this.#ready) {
      // A ready flow has lost one datagram; its socket still works.
      this.#observer.sendError(numberOf(error))
      this.#socket.once('error', later => this.#refused(later))
      return
    }
    this.#socket.close()
    this.#socket = undefined
    if (HEALABLE.has(error.code)) {
      this.#observer.state('waiting', numberOf(error))
      return
    }
    this.#observer.state('failed', numberOf(error))
    this.cancel()
  }

  #pathChanged(path) {
    if (this.#cancelled) return
    if (this.#ready) this.#lookAt(path)
    else if (this.#socket === undefined) this.#prepare()
  }

  /**
   * A socket connects as soon as there is a route, but datagrams pass only when the interface runs, which the kernel
   * reports later.
   */
  #lookAt(path) {
    const local = this.#socket.address().address
    const own = path.interfaces.find(({ addresses }) => addresses.includes(local))
    this.#observer.viability(own !== undefined && (own.type === 'loopback' || path.status === 'satisfied'))
    if (this.#cancelled) return
    const better = path.defaultInterface !== undefined && path.defaultInterface !== this.#interfaceThen
    if (better && own?.name !== path.defaultInterface) {
      this.#interfaceThen = path.defaultInterface
      this.#observer.betterPath(true)
    }
  }
}

/** A flow of a listener. All flows of a listener share its socket. */
class AcceptedFlow {
  #listener
  #remote
  #observer
  #early = []
  #cancelled = false

  constructor(listener, remote) {
    this.#listener = listener
    this.#remote = remote
  }

  start(observer) {
    this.#observer = observer
    queueMicrotask(() => {
      if (this.#cancelled) return
      observer.state('preparing', 0)
      observer.state('ready', 0)
      observer.viability(true)
      const early = this.#early
      this.#early = undefined
      if (early.length > 0) observer.datagrams(early)
    })
  }

  arrived(datagrams) {
    if (this.#cancelled) return
    if (this.#early === undefined) this.#observer.datagrams(datagrams)
    else this.#early.push(...datagrams.slice(0, MOST_EARLY - this.#early.length))
  }

  send(batch) {
    // Cancelling the listener ends its flows at once and closes the socket, which also leads here.
    if (this.#cancelled) return false
    for (const bytes of batch) {
      this.#listener.socket.send(bytes, this.#remote.port, this.#remote.address, error => {
        if (error && !this.#cancelled) this.#observer.sendError(numberOf(error))
      })
    }
    return true
  }

  cancel() {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#listener.forget(this.#remote)
    if (this.#observer !== undefined) queueMicrotask(() => this.#observer.state('cancelled', 0))
  }
}

export class DatagramListener {
  #flows = new Map()
  #observer
  #cancelled = false
  socket

  constructor(host, port, observer) {
    this.#observer = observer
    this.socket = createSocket(familyOf(host))
    this.socket.on('message', (bytes, remote) => this.#arrived(bytes, remote))
    this.socket.on('error', error => {
      if (this.#cancelled) return
      observer.state('failed', numberOf(error), 0)
      this.cancel()
    })
    this.socket.bind(port, host, () => observer.state('ready', 0, this.socket.address().port))
  }

  cancel() {
    if (this.#cancelled) return
    this.#cancelled = true
    for (const { flow } of [...this.#flows.values()]) flow.cancel()
    this.socket.close(() => this.#observer.state('cancelled', 0, 0))
  }

  forget({ address, port }) {
    this.#flows.delete(`${address} ${port}`)
  }

  #arrived(bytes, remote) {
    const key = `${remote.address} ${remote.port}`
    let entry = this.#flows.get(key)
    if (entry === undefined) {
      if (this.#flows.size >= MOST_FLOWS) return
      const flow = new AcceptedFlow(this, remote)
      entry = { flow, batch: new Batch(datagrams => flow.arrived(datagrams)) }
      this.#flows.set(key, entry)
      this.#observer.flow(remote, flow)
    }
    entry.batch.add(bytes)
  }
}
