// The proof that the library does end a process: the same function from two threads.
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import koffi from 'koffi'

const library = isMainThread ? process.argv[2] : workerData
koffi.load(library).func('long one_thread_add(long by)')(1)
if (isMainThread) new Worker(new URL(import.meta.url), { workerData: library })
