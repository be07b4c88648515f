import * as z from 'zod/mini'

/** The reply of `GET /api/openapi.json`. */
export const OpenApi = z.looseObject({
  openapi: z.string(),
  info: z.record(z.string(), z.unknown()),
  paths: z.record(z.string(), z.unknown()),
  components: z.record(z.string(), z.unknown()),
})
