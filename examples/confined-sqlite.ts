/**
 * SQLite confined to one OS thread with a name: `node:sqlite` where this Node has it, else the system's own library through
 * koffi. Both block while they work, so they belong on a thread of their own; here nothing else can ever reach them.
 */
import { PinnedThread } from 'node-dispatch-addon'

/** What this example uses of either. */
interface Database {
  readonly engine: string
  readonly rows: (sql: string) => string[][]
}

let database: Database

/** Called first, on the confined thread: the handle is made and stays there. */
export async function start(file: string): Promise<void> {
  database = (await nodeSqlite(file)) ?? (await systemSqlite(file))
}

export function rows(sql: string): string[][] {
  return database.rows(sql)
}

export function engine(): string {
  return database.engine
}

async function nodeSqlite(file: string): Promise<Database | undefined> {
  const name = 'node:sqlite'
  try {
    const { DatabaseSync } = (await import(name)) as {
      DatabaseSync: new (file: string) => { prepare(sql: string): { all(): Record<string, unknown>[] } }
    }
    const handle = new DatabaseSync(file)
    return {
      engine: name,
      rows: sql =>
        handle
          .prepare(sql)
          .all()
          .map(row => Object.values(row).map(String)),
    }
  } catch {
    return undefined
  }
}

/** sqlite3.h, as much of it as a query needs. */
async function systemSqlite(file: string): Promise<Database> {
  const { default: koffi } = await import('koffi')
  const library = koffi.load(process.platform === 'darwin' ? 'libsqlite3.dylib' : 'libsqlite3.so.0')
  const version = library.func('const char *sqlite3_libversion()')
  const open = library.func('int sqlite3_open(const char *file, _Out_ void **handle)')
  const prepare = library.func(
    'int sqlite3_prepare_v2(void *handle, const char *sql, int bytes, _Out_ void **statement, void *tail)',
  )
  const step = library.func('int sqlite3_step(void *statement)')
  const columns = library.func('int sqlite3_column_count(void *statement)')
  const text = library.func('const char *sqlite3_column_text(void *statement, int column)')
  const finalize = library.func('int sqlite3_finalize(void *statement)')
  const message = library.func('const char *sqlite3_errmsg(void *handle)')
  const ROW = 100

  const handle: [unknown] = [null]
  if (open(file, handle) !== 0) throw new Error(`expected to open ${file}`)
  return {
    engine: `the system's SQLite ${version()}`,
    rows(sql) {
      const statement: [unknown] = [null]
      if (prepare(handle[0], sql, -1, statement, null) !== 0) throw new Error(String(message(handle[0])))
      const found: string[][] = []
      while (step(statement[0]) === ROW) {
        found.push(Array.from({ length: columns(statement[0]) }, (_, at) => String(text(statement[0], at))))
      }
      finalize(statement[0])
      return found
    },
  }
}

async function main(): Promise<void> {
  const confined = await PinnedThread.confine(import.meta.url, {
    name: 'sqlite',
    cpu: 0,
    initial: ':memory:',
  }).catch((error: Error) => console.log(`there is no SQLite here: ${error.message}`))
  if (confined === undefined) return
  await confined.call('rows', ['create table blocks (number integer, hash text)'])
  // Eight callers at once; SQLite sees one thread and one call at a time.
  await Promise.all(
    Array.from({ length: 8 }, (_, number) =>
      confined.call('rows', [`insert into blocks values (${number}, 'h${number}')`]),
    ),
  )
  console.log(`${await confined.call('rows', ['select count(*), min(hash), max(hash) from blocks'])}`)
  console.log(`with ${await confined.call('engine')}`)
  await confined.call('rows', ['select nonsense']).catch((error: Error) => console.log(error.message))
  await confined.stop()
}

// The confined thread imports this file too, for the functions above.
if (import.meta.filename === process.argv[1]) await main()
