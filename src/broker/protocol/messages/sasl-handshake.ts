export const saslHandshake = {
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  request: {
    mechanism: ['string', '0+'],
  },
  response: {
    errorCode: ['int16', '0+'],
    mechanisms: [['string'], '0+'],
  },
} as const
