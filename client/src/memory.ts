export { MemoryStore } from './store/memory.ts'
