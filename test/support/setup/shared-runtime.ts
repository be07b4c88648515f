import { reset } from 'cloudflare:test'
import { afterAll } from 'vitest'

// Test files share a runtime. What one leaves behind, above all alarms of its objects, is none of the next one's.
afterAll(() => reset())
