import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { AddonError } from '../glue/addon-error.js'
import { expectFunction } from '../glue/argument.js'
import { monitors, requireNative } from '../threads/lane.js'

/** RTF_UP of linux/route.h. */
const ROUTE_UP = 1

function lines(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

function typeOf(name) {
  if (existsSync(`/sys/class/net/${name}/wireless`)) return 'wifi'
  try {
    // The numbers of linux/if_arp.h: loopback, Ethernet.
    const type = readFileSync(`/sys/class/net/${name}/type`, 'utf8').trim()
    return type === '772' ? 'loopback' : type === '1' ? 'wired' : 'other'
  } catch {
    return 'other'
  }
}

/**
 * The current network path according to Linux. It is satisfied if a default route leads over an interface that runs and
 * has an address. A route alone is not enough: it stays when the cable is pulled, and exists before a new link has its
 * carrier.
 */
function readPath() {
  // Only interfaces that are up and run (uv_interface_addresses).
  const addresses = networkInterfaces()
  const interfaces = Object.entries(addresses)
    .map(([name, list]) => ({ name, type: typeOf(name), addresses: list.map(({ address }) => address).sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const default4 = lines('/proc/net/route')
    .map(line => line.split('\t'))
    .find(
      ([name, destination, , flags, , , , mask]) =>
        destination === '00000000' && mask === '00000000' && Number.parseInt(flags, 16) & ROUTE_UP && name in addresses,
    )?.[0]
  const default6 = lines('/proc/net/ipv6_route')
    .map(line => line.split(/\s+/))
    .find(([destination, prefix, , , , , , , flags, name]) => {
      const isDefault = /^0+$/.test(destination) && prefix === '00' && name !== 'lo'
      return isDefault && Number.parseInt(flags, 16) & ROUTE_UP && name in addresses
    })?.[9]
  return {
    status: default4 !== undefined || default6 !== undefined ? 'satisfied' : 'unsatisfied',
    supportsIpv4: default4 !== undefined,
    supportsIpv6: default6 !== undefined,
    defaultInterface: default4 ?? default6,
    interfaces,
  }
}

function fromFramework({ satisfied, ipv4, ipv6, interfaces }) {
  const addresses = networkInterfaces()
  return {
    status: satisfied ? 'satisfied' : 'unsatisfied',
    supportsIpv4: ipv4,
    supportsIpv6: ipv6,
    // The framework lists them in the order of its preference.
    defaultInterface: interfaces[0]?.name,
    interfaces: interfaces.map(({ name, type }) => ({
      name,
      type,
      addresses: (addresses[name] ?? []).map(({ address }) => address).sort(),
    })),
  }
}

/** Reports how this machine reaches the network, and each change of it. See index.d.ts. */
export class NetworkPathMonitor {
  #native = requireNative()
  #monitor
  #id
  #onPath
  #path
  #text

  constructor(onPath) {
    expectFunction('onPath', onPath)
    this.#onPath = onPath
    this.#id = monitors.add({ changed: path => this.#changed(path) })
    const monitor = this.#native.pathMonitorStart(this.#id)
    if (typeof monitor === 'string') {
      monitors.take(this.#id)
      throw new AddonError('NETWORK_UNAVAILABLE', monitor)
    }
    this.#monitor = monitor
    // Network framework reports the first path itself.
    if (this.#native.connectionOpen === undefined) this.#changed(undefined)
  }

  /** Undefined on macOS until the first report. */
  get path() {
    return this.#path
  }

  cancel() {
    if (this.#monitor === undefined) return
    monitors.take(this.#id)
    this.#native.pathMonitorStop(this.#monitor)
    this.#monitor = undefined
  }

  #changed(told) {
    const path = told === undefined ? readPath() : fromFramework(told)
    // The kernel also reports changes that do not matter here, such as the age of a route.
    const text = JSON.stringify(path)
    if (text === this.#text) return
    this.#text = text
    const first = this.#path === undefined
    this.#path = path
    if (!first || told !== undefined) this.#onPath(path)
  }
}
