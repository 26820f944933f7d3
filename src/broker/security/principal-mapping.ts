import { MillraceError, messageOf } from '../../errors.ts'

/** A rule: what it makes of a distinguished name, or undefined where it is not about it. */
type Rule = (name: string) => string | undefined

/** `DEFAULT`, or `RULE:pattern/replacement/` with `L` or `U` behind it; a slash inside is written `\/`. */
const ruleShape = /^\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?)|)\s*(?:,|$)/

/** Names are looked at by patterns that whoever runs the broker wrote: one that is longer than any that is real is nobody's. */
const longestName = 1_024

/**
 * What the subject of a client's certificate is called by (`ssl.principal.mapping.rules`,
 * `org.apache.kafka.common.security.ssl.SslPrincipalMapper`): the first rule that matches the whole name counts.
 */
export class PrincipalMapping {
  readonly #rules: readonly Rule[]

  /** @throws MillraceError INVALID_ARGUMENT where the text is not a list of rules */
  constructor(text = 'DEFAULT') {
    this.#rules = rulesOf(text)
  }

  /** The user's name; undefined where no rule matches, so that the client is nobody. */
  nameOf(distinguishedName: string): string | undefined {
    if (distinguishedName.length > longestName) return undefined
    for (const rule of this.#rules) {
      const name = rule(distinguishedName)
      if (name !== undefined) return name
    }
    return undefined
  }
}

function rulesOf(text: string): Rule[] {
  const rules: Rule[] = []
  let left = text
  while (left.trim() !== '') {
    const found = ruleShape.exec(left)
    if (found === null || found[0] === '') throw noRule(left)
    left = left.slice(found[0].length)
    const [, byDefault, pattern, replacement = '', letters] = found
    if (byDefault !== undefined) rules.push((name) => name)
    else if (pattern !== undefined) rules.push(ruleOf(pattern, replacement, letters === '' ? undefined : letters))
  }
  return rules
}

function ruleOf(pattern: string, replacement: string, letters: string | undefined): Rule {
  const whole = compiled(`^(?:${pattern})$`)
  const everywhere = compiled(pattern, 'g')
  const into = replacementOf(replacement)
  return (name) => {
    if (!whole.test(name)) return undefined
    const renamed = name.replace(everywhere, into)
    if (letters === undefined) return renamed
    return letters === 'L' ? renamed.toLowerCase() : renamed.toUpperCase()
  }
}

/** Java's replacements: `$1` is a group, `\x` the character itself; `$&` and the like are nothing special there. */
function replacementOf(text: string): string {
  return text.replace(/\\(.)|\$(?!\d)/g, (_, escaped: string | undefined) => {
    if (escaped === undefined) return '$$'
    return escaped === '$' ? '$$' : escaped
  })
}

function compiled(pattern: string, flags?: string): RegExp {
  try {
    return new RegExp(pattern, flags)
  } catch (cause) {
    throw new MillraceError('INVALID_ARGUMENT', `'${pattern}' is not a pattern: ${messageOf(cause)}`, { cause })
  }
}

function noRule(text: string): MillraceError {
  return new MillraceError('INVALID_ARGUMENT', `'${text}' is not a rule for principals`, {
    remedy: 'Write DEFAULT, or RULE:pattern/replacement/ with L or U behind it, with commas between them.',
  })
}
