// The SDK of policies, loaded again for each run: it serves one pack, and counts the packs in its modules.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.filename)
for (const path of Object.keys(require.cache)) {
  if (path.includes('/@pulumi/policy/')) delete require.cache[path]
}

export const { PolicyPack } = require('@pulumi/policy')
