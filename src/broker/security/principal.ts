/** Who a client is (`org.apache.kafka.common.security.auth.KafkaPrincipal`): what the broker's rules are about. */
export interface Principal {
  /** `User`, for everybody who comes over a connection. */
  readonly type: string
  readonly name: string
}

/** Who has not said who they are. */
export const anonymous: Principal = { type: 'User', name: 'ANONYMOUS' }

export function userNamed(name: string): Principal {
  return { type: 'User', name }
}

/** As Kafka writes it: `User:alice`. */
export function principalText({ type, name }: Principal): string {
  return `${type}:${name}`
}
