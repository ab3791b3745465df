/** A chat server: an actor for the room, one for each connection; who leaves is noticed by death watch. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { behavior, type Ref, System } from 'spimpl/runtime'

type Member = { readonly type: 'line'; readonly text: string } | { readonly type: 'typed'; readonly text: string }
type Room =
  | { readonly type: 'join'; readonly name: string; readonly member: Ref<Member> }
  | { readonly type: 'say'; readonly name: string; readonly text: string }
  | { readonly type: 'left'; readonly name: string }

const room = behavior<Room>(context => {
  const members = new Map<string, Ref<Member>>()
  const tellAll = (text: string) => {
    for (const member of members.values()) member.tell({ type: 'line', text })
  }
  return {
    join: ({ name, member }) => {
      members.set(name, member)
      context.watch(member, { type: 'left', name })
      tellAll(`* ${name} joined, ${members.size} here`)
    },
    say: ({ name, text }) => tellAll(`${name}: ${text}`),
    left: ({ name }) => {
      members.delete(name)
      tellAll(`* ${name} left`)
    },
  }
})

/** A connection. Its first line is the name. */
const member = (socket: Socket, to: Ref<Room>) =>
  behavior<Member>(context => {
    let name: string | undefined
    const lines = createInterface({ input: socket })
    lines.on('line', text => context.self.tell({ type: 'typed', text }))
    lines.on('close', () => context.system.stopActor(context.self, { drain: true }))
    socket.on('error', () => {})
    context.onStop(() => void socket.end())
    return {
      typed: ({ text }) => {
        if (name !== undefined) to.tell({ type: 'say', name, text })
        else {
          name = text
          to.tell({ type: 'join', name, member: context.self })
        }
      },
      line: ({ text }) => void socket.write(`${text}\n`),
    }
  })

await using system = new System({ phases: [{ name: 'connections', deadlineMs: 1_000 }, { name: 'room' }] })
const roomRef = system.spawn(room, { name: 'room', phase: 'room' })
const server = createServer(socket => {
  system.spawn(member(socket, roomRef), {
    restart: 'temporary',
    phase: 'connections',
    mailbox: { overflow: 'drop-oldest' },
  })
})
await once(server.listen(0, '127.0.0.1'), 'listening')
const { port } = server.address() as AddressInfo

/** A client that waits for what it expects, for this demonstration. */
async function client(name: string) {
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

const ada = await client('ada')
await ada.expect(1)
const bob = await client('bob')
await bob.expect(1)
await ada.expect(1)
bob.type('hello')
await ada.expect(1)
bob.leave()
await ada.expect(1)
ada.leave()
server.close()
