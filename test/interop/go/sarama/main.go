// Sarama against a broker: `sarama BOOTSTRAP VERSION CHECK` runs one check as a client of that version of Kafka, and ends
// with 0 or says what was wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

const patience = 60 * time.Second

var (
	bootstrap []string
	version   sarama.KafkaVersion
	checks    = map[string]func() error{
		"codecs": codecs, "group": group, "transactions": transactions, "administration": administration,
	}
)

func main() {
	var err error
	bootstrap = []string{os.Args[1]}
	if version, err = sarama.ParseKafkaVersion(os.Args[2]); err == nil {
		err = checks[os.Args[3]]()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = version
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Metadata.Retry.Backoff = 50 * time.Millisecond
	return config
}

func fresh(what string) string {
	return fmt.Sprintf("%s-%08x", what, rand.Uint32())
}

func requireSame(what string, found, expected any) error {
	if fmt.Sprint(found) == fmt.Sprint(expected) {
		return nil
	}
	return fmt.Errorf("%s: %v where %v was expected", what, found, expected)
}

func numbers(count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("value %d", i)
	}
	return values
}

func makeTopic(name string, partitions int32) error {
	admin, err := sarama.NewClusterAdmin(bootstrap, settings())
	if err != nil {
		return err
	}
	defer admin.Close()
	return admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false)
}

func messagesOf(topic string, values []string) []*sarama.ProducerMessage {
	messages := make([]*sarama.ProducerMessage, len(values))
	for i, value := range values {
		messages[i] = &sarama.ProducerMessage{
			Topic:   topic,
			Key:     sarama.StringEncoder(value),
			Value:   sarama.StringEncoder(value),
			Headers: []sarama.RecordHeader{{Key: []byte("of"), Value: []byte(value)}},
		}
	}
	return messages
}

func produce(config *sarama.Config, topic string, values []string) error {
	producer, err := sarama.NewSyncProducer(bootstrap, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	return producer.SendMessages(messagesOf(topic, values))
}

// The records of one partition from its beginning, so many.
func read(config *sarama.Config, topic string, count int) ([]*sarama.ConsumerMessage, error) {
	consumer, err := sarama.NewConsumer(bootstrap, config)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return nil, err
	}
	defer partition.Close()
	messages := []*sarama.ConsumerMessage{}
	late := time.After(patience)
	for len(messages) < count {
		select {
		case message := <-partition.Messages():
			messages = append(messages, message)
		case <-late:
			return nil, fmt.Errorf("%d of %d records are read", len(messages), count)
		}
	}
	return messages, nil
}

func valuesOf(messages []*sarama.ConsumerMessage) []string {
	values := []string{}
	for _, message := range messages {
		values = append(values, string(message.Value))
	}
	return values
}

func codecs() error {
	values := numbers(1000)
	for codec := sarama.CompressionNone; codec <= sarama.CompressionZSTD; codec++ {
		topic := fresh(codec.String())
		if err := makeTopic(topic, 1); err != nil {
			return err
		}
		config := settings()
		config.Producer.Compression = codec
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
		if err := produce(config, topic, values); err != nil {
			return fmt.Errorf("%v: %w", codec, err)
		}
		messages, err := read(settings(), topic, len(values))
		if err != nil {
			return fmt.Errorf("%v: %w", codec, err)
		}
		if err := requireSame(codec.String(), valuesOf(messages), values); err != nil {
			return err
		}
		for _, message := range messages {
			if len(message.Headers) != 1 || string(message.Headers[0].Value) != string(message.Key) {
				return fmt.Errorf("%v: the headers of offset %d are not as sent", codec, message.Offset)
			}
		}
	}
	return nil
}

// A member keeps what it reads.
type member struct {
	lock     sync.Mutex
	assigned int
	values   []string
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.assigned = 0
	for _, partitions := range session.Claims() {
		m.assigned += len(partitions)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, isOpen := <-claim.Messages():
			if !isOpen {
				return nil
			}
			m.lock.Lock()
			m.values = append(m.values, string(message.Value))
			m.lock.Unlock()
			session.MarkMessage(message, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) assignment() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.assigned
}

func (m *member) read() []string {
	m.lock.Lock()
	defer m.lock.Unlock()
	return slices.Clone(m.values)
}

func group() error {
	strategies := []func() sarama.BalanceStrategy{
		sarama.NewBalanceStrategyRange, sarama.NewBalanceStrategyRoundRobin, sarama.NewBalanceStrategySticky,
	}
	for _, strategy := range strategies {
		if err := groupWith(strategy()); err != nil {
			return fmt.Errorf("%s: %w", strategy().Name(), err)
		}
	}
	return nil
}

func groupWith(strategy sarama.BalanceStrategy) error {
	topic, name := fresh("shared"), fresh("sharers")
	if err := makeTopic(topic, 6); err != nil {
		return err
	}
	members := []*member{{}, {}, {}}
	for i, one := range members {
		leave, err := join(name, topic, strategy, one)
		if err != nil {
			return err
		}
		defer leave()
		joined := members[:i+1]
		err = until(fmt.Sprintf("%d members have %d partitions each", i+1, 6/(i+1)), func() bool {
			for _, other := range joined {
				if other.assignment() != 6/(i+1) {
					return false
				}
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	values := numbers(300)
	if err := produce(settings(), topic, values); err != nil {
		return err
	}
	all := func() []string {
		seen := []string{}
		for _, one := range members {
			seen = append(seen, one.read()...)
		}
		slices.Sort(seen)
		return seen
	}
	if err := until("everything is read", func() bool { return len(all()) >= len(values) }); err != nil {
		return err
	}
	slices.Sort(values)
	return requireSame("values", all(), values)
}

func join(name, topic string, strategy sarama.BalanceStrategy, one *member) (func(), error) {
	config := settings()
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	consumer, err := sarama.NewConsumerGroup(bootstrap, name, config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := consumer.Consume(ctx, []string{topic}, one); errors.Is(err, sarama.ErrClosedConsumerGroup) {
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
		consumer.Close()
	}, nil
}

func transactions() error {
	topic, name := fresh("sales"), fresh("audit")
	if err := makeTopic(topic, 1); err != nil {
		return err
	}
	config := settings()
	config.Producer.Idempotent = true
	config.Producer.Transaction.ID = fresh("till")
	config.Net.MaxOpenRequests = 1
	producer, err := sarama.NewSyncProducer(bootstrap, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	for turn := range 10 {
		if err := producer.BeginTxn(); err != nil {
			return err
		}
		value := fmt.Sprintf("%d", turn)
		if err := producer.SendMessages(messagesOf(topic, []string{value})); err != nil {
			return err
		}
		offsets := map[string][]*sarama.PartitionOffsetMetadata{topic: {{Partition: 0, Offset: int64(turn)}}}
		if err := producer.AddOffsetsToTxn(offsets, name); err != nil {
			return err
		}
		if turn%2 == 0 {
			err = producer.CommitTxn()
		} else {
			err = producer.AbortTxn()
		}
		if err != nil {
			return err
		}
	}
	committed := settings()
	committed.Consumer.IsolationLevel = sarama.ReadCommitted
	messages, err := read(committed, topic, 5)
	if err != nil {
		return err
	}
	if err := requireSame("committed", valuesOf(messages), []string{"0", "2", "4", "6", "8"}); err != nil {
		return err
	}
	admin, err := sarama.NewClusterAdmin(bootstrap, settings())
	if err != nil {
		return err
	}
	defer admin.Close()
	found, err := admin.ListConsumerGroupOffsets(name, map[string][]int32{topic: {0}})
	if err != nil {
		return err
	}
	return requireSame("the group's offset", found.GetBlock(topic, 0).Offset, 8)
}

func administration() error {
	admin, err := sarama.NewClusterAdmin(bootstrap, settings())
	if err != nil {
		return err
	}
	defer admin.Close()
	topic, retention := fresh("managed"), "12345"
	detail := sarama.TopicDetail{
		NumPartitions: 2, ReplicationFactor: 1, ConfigEntries: map[string]*string{"retention.ms": &retention},
	}
	if err := admin.CreateTopic(topic, &detail, true); err != nil {
		return err
	}
	if err := admin.CreateTopic(topic, &detail, false); err != nil {
		return err
	}
	var refused *sarama.TopicError
	if err := admin.CreateTopic(topic, &detail, false); !errors.As(err, &refused) || refused.Err != sarama.ErrTopicAlreadyExists {
		return fmt.Errorf("a topic made twice: %v", err)
	}
	topics, err := admin.ListTopics()
	if err != nil {
		return err
	}
	if err := requireSame("partitions", topics[topic].NumPartitions, 2); err != nil {
		return err
	}
	entries, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})
	if err != nil {
		return err
	}
	at := slices.IndexFunc(entries, func(entry sarama.ConfigEntry) bool { return entry.Name == "retention.ms" })
	if at < 0 || entries[at].Value != retention {
		return fmt.Errorf("retention.ms is not %s in %v", retention, entries)
	}
	if err := produce(settings(), topic, numbers(40)); err != nil {
		return err
	}
	if err := admin.DeleteRecords(topic, map[int32]int64{0: 1, 1: 1}); err != nil {
		return err
	}
	return administerGroup(admin, topic)
}

func administerGroup(admin sarama.ClusterAdmin, topic string) error {
	name := fresh("sharers")
	one := &member{}
	leave, err := join(name, topic, sarama.NewBalanceStrategyRange(), one)
	if err != nil {
		return err
	}
	err = until("the group reads", func() bool { return len(one.read()) == 38 })
	leave()
	if err != nil {
		return err
	}
	groups, err := admin.ListConsumerGroups()
	if err != nil {
		return err
	}
	if err := requireSame("the type of the group", groups[name], "consumer"); err != nil {
		return err
	}
	described, err := admin.DescribeConsumerGroups([]string{name})
	if err != nil {
		return err
	}
	if err := requireSame("the group is", strings.ToLower(described[0].State), "empty"); err != nil {
		return err
	}
	return admin.DeleteConsumerGroup(name)
}

func until(what string, holds func() bool) error {
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not after %v", what, patience)
		}
	}
	return nil
}
