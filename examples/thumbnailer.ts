/**
 * Thumbnails over the compute pool: the actor takes what comes, the threads do the work, and the pool holds back those for
 * whom it has no room.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { behavior, type ReplyTo, System } from 'spimpl/runtime'
import { ComputePool, moved } from 'spimpl/runtime/compute-pool'

const usage = `usage: node thumbnailer.js [--factor N] [FILE.ppm ...]

  FILE.ppm    pictures in the binary format of netpbm (P6, 8 bits); each gets a FILE.thumb.ppm beside it.
              Without any, twelve pictures are made up and shrunk in memory
  --factor N  how many pixels become one, in each direction; 8 when absent
`

/** Three bytes a pixel: red, green, blue. */
interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

interface Order {
  readonly picture: Picture
  readonly factor: number
}

const CHANNELS = 3

const sizeOf = ({ width, height }: Picture, factor: number) => ({
  width: Math.floor(width / factor),
  height: Math.floor(height / factor),
})

/** Runs on a thread of the pool: each pixel is the mean of a square of `factor` by `factor`. */
export function shrink({ picture, factor }: Order): Uint8Array {
  const { width, height } = sizeOf(picture, factor)
  const pixels = new Uint8Array(width * height * CHANNELS)
  for (let at = 0; at < pixels.length; at++) {
    const channel = at % CHANNELS
    const left = (Math.floor(at / CHANNELS) % width) * factor
    const top = Math.floor(at / CHANNELS / width) * factor
    let sum = 0
    for (let y = top; y < top + factor; y++) {
      for (let x = left; x < left + factor; x++) sum += picture.pixels[(y * picture.width + x) * CHANNELS + channel]!
    }
    pixels[at] = Math.round(sum / factor ** 2)
  }
  return moved(pixels)
}

type Thumbnailer = { readonly type: 'shrink'; readonly picture: Picture; readonly replyTo: ReplyTo<Picture> }

const task = { module: import.meta.url, name: 'shrink' }

const thumbnailer = (pool: ComputePool, factor: number) =>
  behavior<Thumbnailer>(
    () => ({
      shrink: async ({ picture, replyTo }) => {
        const transfer = [picture.pixels.buffer as ArrayBuffer]
        try {
          const order = { picture, factor }
          const pixels = await pool.run<Order, Uint8Array>(task, order, { transfer, timeoutMs: 10_000, wait: true })
          replyTo.tell({ ...sizeOf(picture, factor), pixels })
        } catch (error) {
          // It is this picture that failed: who sent it learns why, the others go on.
          replyTo.fail(error as Error)
        }
      },
    }),
    // The next picture may begin while this one is on a thread.
    { reentrant: true },
  )

function decode(file: Uint8Array): Picture {
  const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(Buffer.from(file.subarray(0, 64)).toString('latin1'))
  if (header === null) throw new Error('expected a P6 picture of 8 bits')
  const [width, height] = [Number(header[1]), Number(header[2])]
  const pixels = new Uint8Array(file.subarray(header[0].length))
  if (pixels.length !== width * height * CHANNELS) {
    throw new Error(`expected ${width * height * CHANNELS} bytes of pixels, got ${pixels.length}`)
  }
  return { width, height, pixels }
}

const encode = ({ width, height, pixels }: Picture): Uint8Array =>
  Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels])

export async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { factor: { type: 'string', default: '8' }, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help) {
    console.log(usage)
    return
  }
  const factor = Number(values.factor)
  if (!Number.isInteger(factor) || factor < 1) {
    console.error(`expected --factor N with N > 0, got ${values.factor}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  await using pool = new ComputePool({ threads: 2, maxQueued: 4 })
  await using system = new System()
  const ref = system.spawn(thumbnailer(pool, factor), { name: 'thumbnailer' })
  const thumbnail = (picture: Picture) =>
    ref.ask(replyTo => ({ type: 'shrink', picture, replyTo }), { timeoutMs: 20_000 })

  for (const file of positionals) {
    try {
      const small = await thumbnail(decode(await readFile(file)))
      await writeFile(file.replace(/(\.ppm)?$/, '.thumb.ppm'), encode(small))
      console.log(`${file}: ${small.width} x ${small.height}`)
    } catch (error) {
      console.error(`${file}: ${(error as Error).message}`)
      process.exitCode = 1
    }
  }
  if (positionals.length > 0) return
  const grey = (shade: number) => new Uint8Array(256 * 128 * CHANNELS).fill(shade)
  const thumbnails = await Promise.all(
    Array.from({ length: 12 }, (_, shade) => thumbnail({ width: 256, height: 128, pixels: grey(shade) })),
  )
  console.log(`${thumbnails.length} thumbnails of ${thumbnails[0]?.pixels.length} bytes`)
  console.log(`shades ${thumbnails.map(({ pixels }) => pixels[100]).join(' ')}`)
}

// The pool's threads import this file too, for `shrink`.
if (import.meta.filename === process.argv[1]) await main()
