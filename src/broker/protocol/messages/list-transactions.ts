export const listTransactions = {
  key: 66,
  name: 'ListTransactions',
  versions: '0-2',
  flexible: '0+',
  request: {
    stateFilters: [['string'], '0+'],
    producerIdFilters: [['int64'], '0+'],
    durationFilter: ['int64', '1+', { default: -1 }],
    transactionalIdPattern: ['string', '2+', { nullable: '2+', default: null }],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '0+'],
    unknownStateFilters: [['string'], '0+'],
    transactionStates: [
      [
        {
          transactionalId: ['string', '0+'],
          producerId: ['int64', '0+'],
          transactionState: ['string', '0+'],
        },
      ],
      '0+',
    ],
  },
} as const
