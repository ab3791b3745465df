/**
 * A chat server as a composition: the room, and a door that needs it and has an actor for each connection. Death watch notices members that
 * leave; a member that reads too slowly misses the oldest lines and holds up nobody; the end goes in phases, the connections before the
 * room.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { behavior, composition, type Inspection, type Ref, type ReplyTo } from 'spimpl/runtime'

const usage = `usage: node chat-server.js [--port PORT] [--host HOST]

  --port PORT  serve until SIGINT or SIGTERM; 0 takes any free port. Without it, two clients show what happens
  --host HOST  where to listen, 127.0.0.1 when absent
`

const MAX_CONNECTIONS = 1_000
const MAX_LINE = 1_024
const MAX_WAITING_LINES = 256

/** To one connection. */
type Member = { readonly type: 'line'; readonly text: string }
type Room =
  | { readonly type: 'said'; readonly from: Ref<Member>; readonly text: string }
  | { readonly type: 'left'; readonly from: Ref<Member> }

type Door =
  | { readonly type: 'connected'; readonly socket: Socket }
  /** The answer is the port. */
  | { readonly type: 'listen'; readonly replyTo: ReplyTo<number> }

/** Who is who is known here alone: the first line of a member is its name, unless another has it. */
const room = behavior<Room>(context => {
  const names = new Map<Ref<Member>, string>()
  const tellAll = (text: string) => {
    for (const member of names.keys()) member.tell({ type: 'line', text })
  }
  const join = (member: Ref<Member>, name: string) => {
    if (name === '' || [...names.values()].includes(name)) {
      member.tell({ type: 'line', text: '* that name is taken, another?' })
      return
    }
    names.set(member, name)
    context.watch(member, { type: 'left', from: member })
    tellAll(`* ${name} joined, ${names.size} here`)
  }
  return {
    said: ({ from, text }) => {
      const name = names.get(from)
      if (name === undefined) join(from, text)
      else tellAll(`${name}: ${text}`)
    },
    left: ({ from }) => {
      const name = names.get(from)
      names.delete(from)
      tellAll(`* ${name} left`)
    },
  }
})

/** A connection: what comes goes to the room line by line, what the room says waits here until the socket takes it. */
const member = (socket: Socket, to: Ref<Room>) =>
  behavior<Member>(context => {
    const { self, system } = context
    let unfinished = ''
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      const lines = (unfinished + text).split(/\r?\n/)
      unfinished = lines.pop()!
      for (const line of lines) to.tell({ type: 'said', from: self, text: line.slice(0, MAX_LINE) })
      if (unfinished.length > MAX_LINE) system.stopActor(self)
    })
    socket.on('close', () => system.stopActor(self))
    socket.on('error', () => socket.destroy())
    context.onStop(() => {
      socket.removeAllListeners('data')
      socket.write('* good-bye\n')
      socket.destroySoon()
    })
    return {
      // While the socket is full this actor waits and its mailbox fills; then the oldest lines give way.
      line: ({ text }) => (socket.write(`${text}\n`) ? undefined : drained(socket)),
    }
  })

/** Settles when the socket takes bytes again, or never will. */
function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

/** Listens, and has a member for each connection. */
const door = ({ room, host, port }: { readonly room: Ref<Room>; readonly host: string; readonly port: number }) =>
  behavior<Door>(context => {
    const sockets = new Set<Socket>()
    const server: Server = createServer(socket => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      if (!context.self.tell({ type: 'connected', socket })) socket.destroy()
    })
    server.maxConnections = MAX_CONNECTIONS
    // The members have said good-bye by then; a member that does not read it keeps no process.
    context.onStop(() => {
      server.close()
      setImmediate(() => {
        for (const socket of sockets) socket.destroy()
      })
    })
    return {
      connected: ({ socket }) => {
        context.spawn(member(socket, room), {
          restart: 'temporary',
          mailbox: { capacity: MAX_WAITING_LINES, overflow: 'drop-oldest' },
        })
      },
      listen: async ({ replyTo }) => {
        await once(server.listen(port, host), 'listening')
        replyTo.tell((server.address() as AddressInfo).port)
      },
    }
  })

const chat = (host: string, port: number) =>
  composition('chat')
    .supervisor('room')
    .with('room', { behavior: () => room })
    .supervisor('connections', { phase: { name: 'connections', deadlineMs: 1_000 } })
    .with('door', {
      needs: ['room'],
      behavior: ({ room }) => door({ room, host, port }),
      ready: (ref, within) => ref.ask(replyTo => ({ type: 'listen', replyTo }), within),
    })

/** Two clients who wait for what they expect to see. */
async function demonstration(port: number): Promise<void> {
  const client = (name: string) => {
    const socket = connect(port, '127.0.0.1')
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    socket.write(`${name}\n`)
    return {
      type: (text: string) => void socket.write(`${text}\n`),
      expect: async (count: number) => {
        for (let at = 0; at < count; at++) console.log(`${name} sees "${(await lines.next()).value}"`)
      },
      leave: () => void socket.end(),
    }
  }
  const ada = client('ada')
  await ada.expect(1)
  const bob = client('bob')
  await bob.expect(1)
  await ada.expect(1)
  bob.type('hello')
  await ada.expect(1)
  bob.leave()
  await ada.expect(1)
  // Ada stays, and sees the server go.
}

/** How many connections the door has. */
function membersOf(tree: Inspection): number {
  const connections = tree.children.find(({ name }) => name === 'connections')
  return connections?.children[0]?.children.length ?? 0
}

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const server = await chat(values.host, Number(values.port ?? 0)).start()
const { door: port } = server.started
if (values.port === undefined) await demonstration(port)
else {
  console.log(`listening on ${values.host}:${port}`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}
const stopped = { room: 1, connections: membersOf(server.system.inspect()) }
const { phases } = await server.stop()
for (const { name, late } of phases) {
  console.log(`${name}: ${stopped[name as keyof typeof stopped]} stopped, ${late.length} late`)
}
