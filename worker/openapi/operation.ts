import type { FaultCode } from '../src/core/fault.ts'
import type { Json } from '../src/core/values/json.ts'
import type { Route, RoutesByName } from '../src/http/router.ts'
import type { Described } from './described.ts'
import type { Tag } from './info.ts'
import type { SchemaName } from './schemas.ts'

/** What the document says of a route beside what follows from its access. */
export interface Operation {
  /** The name that generated clients give it. */
  readonly id: string
  readonly tag: Tag
  readonly access: Route['access']
  readonly summary: string
  readonly description: string
  /** The query; there exactly where the route table says that there is one. */
  readonly query?: Described
  /** Of the parameters in the path. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly body?: Content
  readonly reply: (Content & { readonly status: 200 | 201 }) | Upgrade
  /** Whether the reply has a tag, and `If-None-Match` is heard. */
  readonly conditional?: true
  /** Why it may be refused, beyond what every route of its access, every query and every body may be. */
  readonly faults: readonly FaultCode[]
}

/** JSON of a shape, or lines of JSON (NDJSON) and what they are. */
export type Content =
  | { readonly schema: SchemaName; readonly example: Json }
  | { readonly lines: string; readonly example: string }

/** A socket in place of a reply: messages of a shape in either direction. */
export interface Upgrade {
  readonly status: 101
  readonly description: string
  readonly schema: SchemaName
  readonly examples: { readonly [name: string]: Json }
  readonly socket: Json
}

/** A description for every line of the route table: without one, or with one too many, this does not compile. */
export type Operations = {
  readonly [Name in keyof RoutesByName]: Operation &
    Pick<RoutesByName[Name], 'access'> &
    (RoutesByName[Name] extends { readonly query: true }
      ? { readonly query: Described }
      : { readonly query?: never })
}
