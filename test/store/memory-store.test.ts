import test from 'ava'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { conformance } from './conformance.ts'

conformance(test, 'memory', async options => new MemoryStore(options))
