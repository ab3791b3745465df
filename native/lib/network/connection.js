import { AddonError } from '../glue/addon-error.js'
import { expectFunction, expectHandlers, expectInteger, expectString } from '../glue/argument.js'
import { connections, requireNative } from '../threads/lane.js'
import { DatagramFlow, DatagramListener } from './datagram-flow.js'

/** The order of ConnectionState in src/network/network_framework.h. */
const states = ['setup', 'waiting', 'preparing', 'ready', 'failed', 'cancelled']

/** The permitted transitions; any other would be a fault of this package. */
const next = {
  setup: ['preparing', 'waiting', 'ready', 'failed', 'cancelled'],
  preparing: ['waiting', 'ready', 'failed', 'cancelled'],
  waiting: ['preparing', 'ready', 'failed', 'cancelled'],
  ready: ['waiting', 'preparing', 'failed', 'cancelled'],
  failed: ['cancelled'],
  cancelled: [],
}

const HANDLERS = ['onState', 'onDatagrams', 'onViability', 'onBetterPath', 'onSendError']
const ANY_HOST = '0.0.0.0'
const MOST_PORT = 65_535

const ignore = () => {}
const ADOPTED = Symbol('a flow that a listener has accepted')

/** One UDP flow with the life of an `nw_connection_t`. See index.d.ts. */
export class NetworkConnection {
  #flow
  #options
  #state = 'setup'
  #viable = false
  #started = false
  #ending = false
  #cancelled
  #onCancelled
  host
  port

  constructor(options, secret, flow) {
    const { host, port, localPort = 0 } = options
    expectString('a host', host, 'CONNECTION_INVALID')
    expectInteger('the port', port, 1, MOST_PORT, 'CONNECTION_INVALID')
    expectInteger('the local port', localPort, 0, MOST_PORT, 'CONNECTION_INVALID')
    expectHandlers(options, HANDLERS, 'CONNECTION_INVALID')
    this.host = host
    this.port = port
    this.#options = options
    this.#cancelled = new Promise(resolve => {
      this.#onCancelled = resolve
    })
    if (secret === ADOPTED) this.#flow = flow
    else if (requireNative().connectionOpen !== undefined) this.#flow = new FrameworkFlow(host, port, localPort)
    else this.#flow = new DatagramFlow(host, port, localPort)
  }

  get state() {
    return this.#state
  }

  /** Whether datagrams can pass just now. */
  get viable() {
    return this.#viable
  }

  /** `handlers` replace those of the constructor, for connections that a listener made. */
  start(handlers = {}) {
    if (this.#state !== 'setup') throw new AddonError('CONNECTION_INVALID', `expected state setup, is ${this.#state}`)
    // The flow reports its new state later, so `#state` does not show a second call.
    if (this.#started) throw new AddonError('CONNECTION_INVALID', 'the connection was started before')
    expectHandlers(handlers, HANDLERS, 'CONNECTION_INVALID')
    this.#started = true
    this.#options = { ...this.#options, ...handlers }
    const { onDatagrams = ignore, onBetterPath = ignore, onSendError = ignore } = this.#options
    this.#flow.start({
      state: (state, error) => this.#become(state, error),
      viability: viable => this.#becomeViable(viable),
      betterPath: onBetterPath,
      datagrams: onDatagrams,
      sendError: onSendError,
    })
  }

  /** Sends a batch. Returns false, and drops the batch, if the connection is not ready. */
  send(batch) {
    return this.#state === 'ready' && !this.#ending && this.#flow.send(batch)
  }

  /** Settles after the last event. */
  cancel() {
    this.#ending = true
    if (this.#state === 'setup') this.#become('cancelled', 0)
    this.#flow.cancel()
    return this.#cancelled
  }

  #become(state, error) {
    if (!next[this.#state].includes(state)) return
    this.#state = state
    if (state === 'failed' || state === 'cancelled') this.#viable = false
    this.#options.onState?.(state, error === 0 ? undefined : error)
    if (state === 'cancelled') this.#onCancelled()
  }

  #becomeViable(viable) {
    if (viable === this.#viable || this.#state === 'cancelled') return
    this.#viable = viable
    this.#options.onViability?.(viable)
  }
}

/** A flow of Network framework. */
class FrameworkFlow {
  #native = requireNative()
  #connection
  #id

  constructor(host, port, localPort, adopted) {
    this.#connection = adopted ?? this.#native.connectionOpen(host, port, localPort)
  }

  start(observer) {
    this.#id = connections.add({ arrived: event => this.#arrived(event, observer) })
    this.#native.holdLane(1)
    this.#native.connectionStart(this.#connection, this.#id)
  }

  send(batch) {
    this.#native.connectionSend(this.#connection, batch)
    return true
  }

  cancel() {
    if (this.#connection !== undefined) this.#native.connectionCancel(this.#connection)
  }

  #arrived(event, observer) {
    if (event.state !== undefined) {
      const state = states[event.state]
      if (state === 'cancelled') {
        connections.take(this.#id)
        this.#connection = undefined
        this.#native.holdLane(-1)
      }
      observer.state(state, event.error)
    } else if (event.viable !== undefined) observer.viability(event.viable)
    else if (event.betterPath !== undefined) observer.betterPath(event.betterPath)
    else if (event.datagrams !== undefined) observer.datagrams(event.datagrams)
    else if (event.sendError !== undefined) observer.sendError(event.sendError)
  }
}

/** Accepts flows: the first datagram of a remote makes a connection. See index.d.ts. */
export class NetworkListener {
  #native = requireNative()
  #listener
  #id
  #options
  #state = 'setup'
  #cancelled
  #onCancelled
  port = 0

  constructor(options) {
    const { host = ANY_HOST, port = 0, onConnection, onState } = options
    expectString('a host', host, 'CONNECTION_INVALID')
    expectInteger('the port', port, 0, MOST_PORT, 'CONNECTION_INVALID')
    expectFunction('onConnection', onConnection, 'CONNECTION_INVALID')
    expectHandlers({ onState }, ['onState'], 'CONNECTION_INVALID')
    this.#options = { host, port, onConnection, onState }
    this.#cancelled = new Promise(resolve => {
      this.#onCancelled = resolve
    })
  }

  get state() {
    return this.#state
  }

  start() {
    const { host, port } = this.#options
    if (this.#state !== 'setup' || this.#listener !== undefined) {
      throw new AddonError('CONNECTION_INVALID', 'the listener was started before')
    }
    if (this.#native.listenerOpen === undefined) {
      this.#listener = new DatagramListener(host, port, {
        state: (state, error, bound) => this.#become(state, error, bound),
        flow: (remote, flow) => this.#accept(remote.address, remote.port, flow),
      })
      return
    }
    this.#native.holdLane(1)
    this.#id = connections.add({ arrived: event => this.#arrived(event) })
    this.#listener = this.#native.listenerOpen(host, port, this.#id)
  }

  cancel() {
    if (this.#listener === undefined) this.#become('cancelled', 0, 0)
    else if (this.#id === undefined) this.#listener.cancel()
    else this.#native.listenerCancel(this.#listener)
    return this.#cancelled
  }

  #accept(host, port, flow) {
    this.#options.onConnection(new NetworkConnection({ host, port }, ADOPTED, flow))
  }

  #arrived(event) {
    if (event.state === undefined) {
      this.#accept(event.host, event.port, new FrameworkFlow('', 0, 0, event.connection))
      return
    }
    const state = states[event.state]
    if (state === 'cancelled') {
      connections.take(this.#id)
      this.#native.holdLane(-1)
    }
    this.#become(state, event.error, event.port)
  }

  #become(state, error, port) {
    if (this.#state === 'cancelled' || this.#state === state) return
    this.#state = state
    if (state === 'ready') this.port = port
    this.#options.onState?.(state, error === 0 ? undefined : error)
    if (state === 'cancelled') this.#onCancelled()
  }
}
