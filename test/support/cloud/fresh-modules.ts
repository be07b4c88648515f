import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Modules of this folder that a project gets in place of packages. */
const BUNDLER = new URL('./built-once.ts', import.meta.url).href
const POLICY_SDK = new URL('./policy-sdk.ts', import.meta.url).href

let runs = 0

/** Loads the modules of a project again for each run, because a test edits the sources between two runs. */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const run = /\?run=\d+$/.exec(context.parentURL ?? '')?.[0]
    if (run === undefined) return nextResolve(specifier, context)
    if (specifier === 'esbuild') return nextResolve(BUNDLER, context)
    const resolved = nextResolve(specifier === '@pulumi/policy' ? POLICY_SDK : specifier, context)
    const isOurs = resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/')
    return isOurs ? { ...resolved, url: resolved.url + run } : resolved
  },
})

/** Imports a file with all modules of its project that it imports. Packages stay loaded. */
export function importFresh(file: string): Promise<object> {
  return import(`${pathToFileURL(file)}?run=${++runs}`)
}
