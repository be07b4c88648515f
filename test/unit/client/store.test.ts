import { MemoryStore } from '../../../client/src/store/memory.ts'
import { storeContract } from '../../support/client/store-contract.ts'

storeContract('the store in memory', async () => new MemoryStore())
