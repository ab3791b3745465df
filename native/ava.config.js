export default {
  files: ['test/**/*.test.js'],
  // Each file has a process of its own: an addon that aborts must not take other tests with it.
  workerThreads: false,
  concurrency: 2,
  nodeArguments: ['--expose-gc'],
  timeout: '120s',
}
