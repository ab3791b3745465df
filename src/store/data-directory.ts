import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { SpimplError } from '../errors.ts'

const KEY_FILE = 'node.key'
const LOCK_FILE = 'lock'
/** `O_EXLOCK` of macOS and the BSDs, which node:fs passes on and does not name: open and flock in one step. */
const O_EXLOCK = 0x20

/**
 * A directory that one node owns while it runs.
 *
 * The lock is the kernel's: a crash releases it, so no lock is ever stale. Node.js has no flock. On Linux an abstract
 * unix socket serves (`man 7 unix`): its name, made of the device and inode of the directory, can be bound once, and
 * vanishes with the process, however it ends. On macOS and the BSDs the file `lock` is opened with O_EXLOCK. The file
 * also shows the pid of the holder, for people only. An abstract name belongs to a network namespace: two containers
 * that share a volume must not share a data directory.
 */
export class DataDirectory {
  readonly path: string
  readonly #lock: { release(): Promise<void> }

  private constructor(directory: string, lock: { release(): Promise<void> }) {
    this.path = directory
    this.#lock = lock
  }

  /**
   * Creates the directory (mode 0700) if it is missing, and takes its lock.
   * Throws STORE_LOCKED with the directory and the pid of the holder, or FILE_INVALID.
   */
  static async open(directory: string): Promise<DataDirectory> {
    const absolute = path.resolve(directory)
    try {
      await makeDirectory(absolute)
    } catch (cause) {
      throw new SpimplError(
        'FILE_INVALID',
        `expected a directory that can be created at ${absolute}: ${reasonOf(cause)}`,
        {
          cause,
        },
      )
    }
    const lock = process.platform === 'linux' ? await lockBySocket(absolute) : await lockByFile(absolute)
    return new DataDirectory(absolute, lock)
  }

  /** The file of the private key. */
  get keyFile(): string {
    return path.join(this.path, KEY_FILE)
  }

  /**
   * The node's private key, 32 bytes, from the file `node.key` (mode 0600, 0x and 64 digits). If there is no such file,
   * it is written with `given`, or a new key of `generate`. Throws CONFIG_INVALID if `given` is another key than that
   * of the file: the content of the directory is ordered by its node id. Throws FILE_INVALID for a file that is no key.
   * The caller must not pass 32 bytes that are no key of the curve: they would be stored.
   */
  async loadOrCreateKey(generate: () => Uint8Array, given?: Uint8Array): Promise<Uint8Array> {
    const file = this.keyFile
    const existing = await readKey(file)
    if (existing !== undefined) {
      if (given !== undefined && Buffer.compare(given, existing) !== 0) {
        const advice = 'leave privateKey (--private-key) out, or use another dataDir (--data-dir)'
        throw new SpimplError(
          'CONFIG_INVALID',
          `privateKey (--private-key): expected the key that ${file} holds, got another one; ${advice}`,
        )
      }
      return existing
    }
    const key = given ?? generate()
    await this.writeText(KEY_FILE, `0x${Buffer.from(key).toString('hex')}\n`)
    return key
  }

  /**
   * The text that `writeText` wrote under this name, such as the last node record, whose `seq` continues from there.
   */
  async readText(name: string): Promise<string | undefined> {
    try {
      return await readFile(path.join(this.path, name), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new SpimplError('FILE_INVALID', `expected a readable file: ${reasonOf(error)}`, { cause: error })
    }
  }

  /** Writes a small file (mode 0600) atomically and durably. Throws STORE_FAILED or FILE_INVALID. */
  async writeText(name: string, text: string): Promise<void> {
    const file = path.join(this.path, name)
    const temporary = `${file}.${randomBytes(4).toString('hex')}`
    try {
      const handle = await open(temporary, 'wx', 0o600)
      try {
        await handle.writeFile(text)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(temporary, file)
      await syncDirectory(this.path)
    } catch (cause) {
      await rm(temporary, { force: true })
      throw unwritable(this.path, cause)
    }
  }

  /** Releases the lock. */
  async close(): Promise<void> {
    await this.#lock.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/**
 * Creates a directory and its parents. Not with `recursive` of node:fs: if the system reports ENOENT although the
 * parent exists (/proc, an automounter), Node 20 to 26 retry without end, on a thread that no signal stops.
 */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const above = path.dirname(directory)
    if (code === 'ENOENT' && above !== directory && !(await isDirectory(above))) {
      await makeDirectory(above)
      return makeDirectory(directory)
    }
    // A root directory or a read-only file system reports its own error before EEXIST.
    if (!(await isDirectory(directory))) throw error
  }
}

const isDirectory = (file: string): Promise<boolean> =>
  stat(file).then(
    found => found.isDirectory(),
    () => false,
  )

async function readKey(file: string): Promise<Uint8Array | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return unreadableKey(file, error)
  }
  try {
    const text = (await handle.readFile('utf8').catch(cause => unreadableKey(file, cause))).trim()
    if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
      throw new SpimplError(
        'FILE_INVALID',
        `${file}: expected a private key of 64 hexadecimal digits, got ${text.length} characters`,
      )
    }
    // A copied or restored directory often has wider modes; only the owner may read the key.
    if (((await handle.stat()).mode & 0o077) !== 0) await handle.chmod(0o600).catch(cause => unreadableKey(file, cause))
    return new Uint8Array(Buffer.from(text.replace(/^0x/, ''), 'hex'))
  } finally {
    await handle.close()
  }
}

function unreadableKey(file: string, cause: unknown): never {
  throw new SpimplError('FILE_INVALID', `expected a readable key file at ${file}: ${reasonOf(cause)}`, { cause })
}

/** Faults of the disk, not of the chosen directory. */
const DISK_FAULTS = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG'])

function unwritable(directory: string, cause: unknown): SpimplError {
  const code = DISK_FAULTS.has((cause as NodeJS.ErrnoException).code ?? '') ? 'STORE_FAILED' : 'FILE_INVALID'
  return new SpimplError(code, `expected a directory that can be written to at ${directory}: ${reasonOf(cause)}`, {
    cause,
  })
}

/** A rename is durable once its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function lockBySocket(directory: string): Promise<{ release(): Promise<void> }> {
  const { dev, ino } = await stat(directory, { bigint: true })
  const server = createServer(socket => socket.destroy())
  try {
    await listen(server, `\0spimpl:${dev}:${ino}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw await lockedError(directory)
    throw new SpimplError('STORE_FAILED', `could not lock ${directory}: ${reasonOf(error)}`, { cause: error })
  }
  server.unref()
  const close = (): Promise<void> => new Promise(resolve => server.close(() => resolve()))
  try {
    await writeFile(path.join(directory, LOCK_FILE), `${process.pid}\n`, { mode: 0o600 })
  } catch (cause) {
    await close()
    throw unwritable(directory, cause)
  }
  return {
    async release() {
      await rm(path.join(directory, LOCK_FILE), { force: true })
      await close()
    },
  }
}

async function lockByFile(directory: string): Promise<{ release(): Promise<void> }> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK
  let handle: FileHandle
  try {
    handle = await open(path.join(directory, LOCK_FILE), flags, 0o600)
  } catch (error) {
    if (['EAGAIN', 'EWOULDBLOCK'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw await lockedError(directory)
    throw unwritable(directory, error)
  }
  await handle.truncate(0)
  await handle.write(`${process.pid}\n`, 0)
  return {
    // The file stays: if it were removed, a third process could lock a new file while a second one waits for this one.
    release: async () => {
      await handle.truncate(0)
      await handle.close()
    },
  }
}

function listen(server: Server, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(name, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function lockedError(directory: string): Promise<SpimplError> {
  let pid = NaN
  try {
    pid = Number.parseInt(await readFile(path.join(directory, LOCK_FILE), 'utf8'), 10)
  } catch {
    // The holder has taken the lock and not written its pid yet, or is releasing it.
  }
  const holder = Number.isInteger(pid) ? `process ${pid}` : 'another process'
  const advice = 'stop it, or use another dataDir (--data-dir)'
  return new SpimplError('STORE_LOCKED', `the data directory ${directory} is in use by ${holder}: ${advice}`)
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
