import { handle } from './http/edge.ts'

export { Chronicle } from './objects/chronicle.ts'
export { Registry } from './objects/registry/registry.ts'

export default { fetch: handle } satisfies ExportedHandler<Env>
