import { join } from 'node:path'

/** The folder with Pulumi.yaml, where the tools of this checkout work. */
export const ROOT = join(import.meta.dirname, '../..')

/** The folder of a project in which Node keeps compiled modules: large packages then load in half the time. */
export const COMPILE_CACHE = 'node_modules/.cache/chronicle-sync'
