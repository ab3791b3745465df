// The other end of a round trip: for piscina a function, for a MessagePort an echo.
import { parentPort, workerData } from 'node:worker_threads'

export default number => number

if (workerData?.echo === true) parentPort.on('message', number => parentPort.postMessage(number))
