import { vi } from 'vitest'

// The test files of a project share a process. Modules are loaded again for each file, with fresh state.
vi.resetModules()
