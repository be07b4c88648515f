/** Reads the sentences of a file: comments, prose, titles of tests, and messages of the product. */
import ts from 'typescript'

export type Sentence = { readonly line: number; readonly text: string }

/** Text that stands together, from the line it begins on. */
type Block = { readonly line: number; readonly text: string }

const OPENER = /^(?:what|who|whoever|whose|whatever|of|else|so)\b/i
const IDIOM = /\b(?:(?:is|are) none|anew|go(?:es)? on(?! (?:the|an?|each|every|its|your)\b)|by now)\b/i
const RULE_ID = '\\[[A-Z]{2,3}\\d+\\]|\\*\\*[A-Z]{2,3}\\d+\\*\\*'
const LEADING_MARKS = new RegExp(`^(?:${RULE_ID}|\\d+\\.\\s|[\\s>#|*_"'“‘([-])+`)
const SENTENCE_END = /(?<=[.!?][)"'”`*_]*)\s+(?=[[(*_"“`]*[A-Z`$])/
const PARAGRAPH_END = /\n[ \t]*\n|\n(?=[ \t]*(?:[-*>#|]|\d+\.)[ \t])/
const SQL = /^\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|PRAGMA|WITH|REPLACE)\b|\b(?:FROM|WHERE) /
const TITLED = /^(?:test|describe)\b/
const PRODUCT = /^(?:worker|infra)\//

/** Says whether a sentence opens without its subject, or holds an idiom that plain English has no need of. */
export function isOdd(sentence: string): boolean {
  const text = sentence.replaceAll(/`[^`]*`/g, '`').replace(LEADING_MARKS, '')
  const isQuestion = /\?[)"'”`*_]*$/.test(text)
  return (OPENER.test(text) && !isQuestion) || IDIOM.test(text)
}

/** The sentences of a file of the repository, or none where files of its kind hold no prose. */
export function sentencesOf(path: string, text: string): readonly Sentence[] {
  return blocksOf(path, text).flatMap(split).filter(isProse)
}

function blocksOf(path: string, text: string): readonly Block[] {
  if (/\.(?:ts|js|mjs)$/.test(path)) return [...commentsOf(path, text), ...stringsOf(path, text)]
  if (path.endsWith('.md')) return proseOf(text)
  if (/\.(?:sh|toml|ya?ml)$|^\.ci\/run$/.test(path)) return hashCommentsOf(text)
  return []
}

function isProse({ text }: Sentence): boolean {
  return (text.match(/[A-Za-z’']{2,}|\ba\b/gi)?.length ?? 0) >= 3
}

function split(block: Block): readonly Sentence[] {
  let from = 0
  return block.text.split(PARAGRAPH_END).flatMap((paragraph) =>
    paragraph.split(SENTENCE_END).map((sentence) => {
      const at = block.text.indexOf(sentence, from)
      from = at + sentence.length
      const line = block.line + (block.text.slice(0, at).match(/\n/g)?.length ?? 0)
      return { line, text: sentence.replaceAll(/\s+/g, ' ').trim() }
    }),
  )
}

/** Lines of comments that follow each other are one text. */
function joined(lines: readonly Block[]): readonly Block[] {
  const blocks: Block[] = []
  let next = -1
  for (const { line, text } of lines) {
    const last = blocks.at(-1)
    if (last && line === next) blocks[blocks.length - 1] = { line: last.line, text: `${last.text}\n${text}` }
    else blocks.push({ line, text })
    next = line + text.split('\n').length
  }
  return blocks
}

function commentsOf(path: string, text: string): readonly Block[] {
  const file = parse(path, text)
  const found = new Map<number, Block>()
  const visit = (node: ts.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.pos) ?? []),
    ]
    if (!ts.isTemplateMiddleOrTemplateTail(node))
      for (const { pos, end } of ranges) {
        const line = file.getLineAndCharacterOfPosition(pos).line + 1
        found.set(pos, { line, text: uncommented(text.slice(pos, end)) })
      }
    for (const child of node.getChildren(file)) if (!ts.isJSDoc(child)) visit(child)
  }
  visit(file)
  return joined([...found].sort(([a], [b]) => a - b).map(([, block]) => block))
}

function uncommented(comment: string): string {
  if (comment.startsWith('//'))
    return comment.replace(/^\/\/+\s?/, '').replace(/^(?:biome-ignore|@ts-).*/, '')
  return comment.slice(2, -2).replaceAll(/^[ \t]*\*[ \t]?/gm, '')
}

function stringsOf(path: string, text: string): readonly Block[] {
  const file = parse(path, text)
  const blocks: Block[] = []
  const isTitle = ({ parent }: ts.Node) =>
    parent && ts.isCallExpression(parent) && TITLED.test(parent.expression.getText(file))
  const visit = (node: ts.Node): void => {
    const literal = literalOf(node)
    if (literal === null || ts.isImportDeclaration(node.parent)) {
      ts.forEachChild(node, visit)
      return
    }
    if ((PRODUCT.test(path) && !SQL.test(literal)) || isTitle(node))
      blocks.push({ line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1, text: literal })
    if (ts.isTemplateExpression(node)) for (const span of node.templateSpans) visit(span.expression)
  }
  visit(file)
  return blocks
}

/** The text of a string, a template or a sum of them. An expression inside is a `…`. */
function literalOf(node: ts.Node): string | null {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('')
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return null
  const [left, right] = [literalOf(node.left), literalOf(node.right)]
  return left === null && right === null ? null : `${left ?? '…'}${right ?? '…'}`
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
}

/** Prose outside code fences. Each cell of a table is a text of its own. */
function proseOf(text: string): readonly Block[] {
  let isFenced = false
  const lines = text.split('\n').flatMap((content, index): readonly Block[] => {
    const isFence = /^\s*(?:```|~~~)/.test(content)
    if (isFence) isFenced = !isFenced
    if (isFence || isFenced) return []
    if (!content.startsWith('|')) return [{ line: index + 1, text: content }]
    return content.split(/(?<!\\)\|/).map((cell) => ({ line: index + 1, text: cell.trim() }))
  })
  return joined(lines)
}

function hashCommentsOf(text: string): readonly Block[] {
  return joined(
    text.split('\n').flatMap((content, index) => {
      const comment = /(?:^|\s)#+\s(.*)$/.exec(content)?.[1]
      return comment === undefined ? [] : [{ line: index + 1, text: comment }]
    }),
  )
}
