const maxNameLength = 249

/** What is wrong with a topic's name, in Kafka's words (org.apache.kafka.common.internals.Topic.validate); undefined where nothing. */
export function topicNameProblem(name: string): string | undefined {
  const why = reason(name)
  return why === undefined ? undefined : `Topic name is invalid: ${why}`
}

function reason(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > maxNameLength) {
    return `the length of '${name}' is longer than the max allowed length ${maxNameLength}`
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return undefined
  return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}
