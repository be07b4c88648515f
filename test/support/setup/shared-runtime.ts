import { reset } from 'cloudflare:test'
import { afterAll } from 'vitest'

// Test files share a runtime. Objects, their alarms and KV must not outlive a file.
afterAll(() => reset())
