import { join } from 'node:path'

/** The folder with Pulumi.yaml, where the tools of this checkout work. */
export const ROOT = join(import.meta.dirname, '../..')
