import type * as z from 'zod/mini'
import type { FaultCode } from '../../src/core/fault.ts'
import type { Json } from '../../src/core/values/json.ts'
import type { Route, RoutesByName } from '../../src/http/router.ts'
import type { SchemaName } from '../shapes/schemas.ts'
import type { Tag } from './tags.ts'

/** The description of a route. Its access implies the rest. */
export interface Operation {
  /** The name of the operation in generated clients. */
  readonly id: string
  readonly tag: Tag
  readonly access: Route['access']
  readonly summary: string
  readonly description: string
  /** Present exactly if the route table says that the route has a query. */
  readonly query?: Query
  /** Descriptions of the path parameters. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly body?: Content
  readonly reply: (Content & { readonly status: 200 | 201 }) | Upgrade
  /** Whether the reply has an `ETag` and the route supports `If-None-Match`. */
  readonly conditional?: true
  /** Refusals beyond those that every route of this access, every query and every body can get. */
  readonly faults: readonly FaultCode[]
}

/** A query string, with a description of each parameter. */
interface Query {
  readonly schema: z.ZodMiniObject
  readonly words: Readonly<Record<string, string>>
}

/** JSON of a named schema, or lines of JSON (NDJSON) or OpenMetrics text with a description. */
export type Content =
  | { readonly schema: SchemaName; readonly example: Json }
  | { readonly lines: string; readonly example: string }
  | { readonly metrics: string; readonly example: string }

/** A socket instead of a reply, with messages of a schema in either direction. */
export interface Upgrade {
  readonly status: 101
  readonly description: string
  readonly schema: SchemaName
  readonly examples: { readonly [name: string]: Json }
  readonly socket: Json
}

/** One description for every line of the route table. A missing or an extra one does not compile. */
export type Operations = {
  readonly [Name in keyof RoutesByName]: Operation &
    Pick<RoutesByName[Name], 'access'> &
    (RoutesByName[Name] extends { readonly query: true }
      ? { readonly query: Query }
      : { readonly query?: never })
}
