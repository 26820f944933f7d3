export const describeConfigs = {
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  flexible: '4+',
  request: {
    resources: [
      [
        {
          resourceType: ['int8', '0+'],
          resourceName: ['string', '0+'],
          configurationKeys: [['string'], '0+', { nullable: '0+' }],
        },
      ],
      '0+',
    ],
    includeSynonyms: ['bool', '1+'],
    includeDocumentation: ['bool', '3+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    results: [
      [
        {
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '0+', { nullable: '0+' }],
          resourceType: ['int8', '0+'],
          resourceName: ['string', '0+'],
          configs: [
            [
              {
                name: ['string', '0+'],
                value: ['string', '0+', { nullable: '0+' }],
                readOnly: ['bool', '0+'],
                configSource: ['int8', '1+', { default: -1 }],
                isSensitive: ['bool', '0+'],
                synonyms: [
                  [
                    {
                      name: ['string', '1+'],
                      value: ['string', '1+', { nullable: '0+' }],
                      source: ['int8', '1+'],
                    },
                  ],
                  '1+',
                ],
                configType: ['int8', '3+'],
                documentation: ['string', '3+', { nullable: '0+' }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
  },
} as const
