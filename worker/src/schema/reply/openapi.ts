import * as z from 'zod/mini'
import { field, named } from './described.ts'

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
