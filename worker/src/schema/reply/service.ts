import * as z from 'zod/mini'
import { Milliseconds } from '../atoms.ts'
import { field, named, object } from './described.ts'

/** The reply of `GET /api/health`. */
export const HealthReply = object('The Worker runs.', {
  status: z.literal('ok'),
  environment: field('The environment of the stack.', z.string()),
  version: field('The deployed version.', z.string()),
  serverTime: field('The clock of the Worker, ms since 1970.', Milliseconds),
})

/** The reply of `GET /api/openapi.json`. */
export const OpenApi = named(
  'An OpenAPI document.',
  z.looseObject({
    openapi: field('The version of OpenAPI.', z.string()),
    info: field('Title, version and introduction.', z.record(z.string(), z.unknown())),
    paths: field('The routes.', z.record(z.string(), z.unknown())),
    components: field('The parts that routes share.', z.record(z.string(), z.unknown())),
  }),
)
