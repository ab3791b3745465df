import { nodeResolve } from '@rollup/plugin-node-resolve'

/** What a program on Node bundles with. Its input and output are arguments. */
export default { plugins: [nodeResolve({ exportConditions: ['node'], preferBuiltins: true })] }
