/** Thumbnails over the compute pool: the actor keeps order and count, the threads do the work, the pool says when it is full. */
import { behavior, ComputePool, moved, type ReplyTo, System } from 'spimpl/runtime'

interface Picture {
  readonly width: number
  readonly height: number
  /** One byte a pixel. */
  readonly pixels: Uint8Array
}

/** Runs on a thread of the pool: the mean of each square of `factor` by `factor` pixels. */
export function shrink({ picture, factor }: { readonly picture: Picture; readonly factor: number }): Uint8Array {
  const width = Math.floor(picture.width / factor)
  const height = Math.floor(picture.height / factor)
  const small = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0
      for (let dy = 0; dy < factor; dy++) {
        for (let dx = 0; dx < factor; dx++) sum += picture.pixels[(y * factor + dy) * picture.width + x * factor + dx]!
      }
      small[y * width + x] = sum / factor ** 2
    }
  }
  return moved(small)
}

type Thumbnailer = { readonly type: 'shrink'; readonly picture: Picture; readonly replyTo: ReplyTo<Uint8Array> }

const task = { module: import.meta.url, name: 'shrink' }

const thumbnailer = (pool: ComputePool) =>
  behavior<Thumbnailer>(
    () => ({
      shrink: async ({ picture, replyTo }) => {
        const transfer = [picture.pixels.buffer as ArrayBuffer]
        replyTo.tell(await pool.run({ ...task }, { picture, factor: 8 }, { transfer, timeoutMs: 10_000, wait: true }))
      },
    }),
    // The next picture may begin while this one is on a thread.
    { reentrant: true },
  )

export async function main(): Promise<void> {
  await using pool = new ComputePool({ threads: 2, maxQueued: 4 })
  await using system = new System()
  const ref = system.spawn(thumbnailer(pool), { name: 'thumbnailer' })
  const picture = (shade: number): Picture => ({
    width: 256,
    height: 128,
    pixels: new Uint8Array(256 * 128).fill(shade),
  })
  const thumbnails = await Promise.all(
    Array.from({ length: 12 }, (_, at) =>
      ref.ask<Uint8Array>(replyTo => ({ type: 'shrink', picture: picture(at), replyTo }), { timeoutMs: 20_000 }),
    ),
  )
  console.log(`${thumbnails.length} thumbnails of ${thumbnails[0]?.byteLength} bytes`)
  console.log(`shades ${thumbnails.map(thumbnail => thumbnail[100]).join(' ')}`)
}

// The pool's threads import this file too, for `shrink`.
if (import.meta.filename === process.argv[1]) await main()
