import type { z } from 'zod'

/** JSON text of another program, if it has the shape that is expected; else undefined. */
export function parseJson<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
