import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import { parse } from 'smol-toml'
import type { z } from 'zod'
import { DECLARATION_FILE, Declaration } from '../component/declaration.ts'

/** Reads the declaration. A mistake in the file throws a RunError of one line that names the key. */
export function readDeclaration(root: string): Declaration {
  return parseDeclaration(readFileSync(join(root, DECLARATION_FILE), 'utf8'))
}

/** Parses the text of a declaration, which may come from another commit. */
export function parseDeclaration(text: string): Declaration {
  const result = Declaration.safeParse(parseToml(text))
  if (!result.success) throw new RunError(describe(result.error))
  return result.data
}

function parseToml(text: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    const [reason] = String(cause instanceof Error ? cause.message : cause).split('\n')
    throw new RunError(`${DECLARATION_FILE} is not TOML: ${reason}`)
  }
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues
  if (!issue) return `${DECLARATION_FILE} is invalid`
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0]].join('.')
    return `${DECLARATION_FILE} has "${path}", which infra/component/declaration.ts does not deploy: add it there or remove it`
  }
  return `${DECLARATION_FILE}: ${issue.path.join('.')}: ${issue.message}`
}
