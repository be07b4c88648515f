import { answer } from './http/edge.ts'

export { Chronicle } from './objects/chronicle.ts'

export default { fetch: answer } satisfies ExportedHandler<Env>
