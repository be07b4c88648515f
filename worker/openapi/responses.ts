import type { FaultCode } from '../src/core/fault.ts'
import type { Json } from '../src/core/values/json.ts'
import { problem } from '../src/http/exchange/problem.ts'
import { refusal } from '../src/http/exchange/refusal.ts'
import { FAULTS } from './faults.ts'
import { FAULT_CODES, statusOf } from './problems.ts'

/** The header of a reply, as the document names it, by how the edge writes it. */
const HEADERS: Readonly<Record<string, string>> = {
  'accept-post': 'Accept-Post',
  upgrade: 'Upgrade',
  ratelimit: 'RateLimit',
  'ratelimit-policy': 'RateLimit-Policy',
  'retry-after': 'Retry-After',
  'www-authenticate': 'WWW-Authenticate',
}

/** The headers of a reply beyond those of every reply, as members of its description; nothing without any. */
export function headersOf(names: readonly string[]): { readonly headers?: Json } {
  if (names.length === 0) return {}
  return {
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
  }
}

/** The problem document of every fault, as the edge writes it. */
export async function problemExamples(): Promise<Json> {
  const examples = FAULT_CODES.map(async (code) => {
    const value: Json = await problem(refusal(FAULTS[code]), '5f0c1d7e').json()
    return [code, { value }] as const
  })
  return Object.fromEntries(await Promise.all(examples))
}

/** Codes by the status that the edge answers with, in the order in which the document lists them. */
export function refusalsByStatus(codes: readonly FaultCode[]): ReadonlyMap<number, readonly FaultCode[]> {
  const ordered = FAULT_CODES.filter((code) => codes.includes(code))
  return Map.groupBy(ordered, statusOf)
}

/** A response is named by its codes. */
export function responseName(codes: readonly FaultCode[]): string {
  return codes.join('.')
}

/** A response with the codes of one status. */
export function refusalResponse(codes: readonly FaultCode[]): Json {
  const extra = codes.flatMap((code) => Object.keys(refusal(FAULTS[code]).headers))
  const names = [...new Set(extra)].map((name) => HEADERS[name] ?? name)
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    ...headersOf(names),
    content: {
      'application/problem+json': {
        schema: oneOfCodes(codes),
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  }
}

/** The schema of each code has its name, so that the discriminator needs no mapping. */
function oneOfCodes(codes: readonly FaultCode[]): Json {
  const shapes = codes.map((code) => ({ $ref: `#/components/schemas/${code}` }))
  const [only] = shapes
  return shapes.length === 1 && only !== undefined
    ? only
    : { oneOf: shapes, discriminator: { propertyName: 'code' } }
}
