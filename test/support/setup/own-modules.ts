import { vi } from 'vitest'

// The files of a project share a process. Modules are read anew for each, and with them what they hold.
vi.resetModules()
