#!/bin/sh
# Who may do what on Kafka. Made by: attune topics acls > deploy/kafka/acls.sh
# BOOTSTRAP=kafka:9093 ADMIN=admin.properties sh acls.sh      (kafka-acls.sh on the PATH)
set -eu
acl() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN" --add --force "$@"; }

# your own systems that tell what people do
acl --allow-principal User:attune-producer --operation Write --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures'

# attune worker --role behaviour
acl --allow-principal User:attune-behaviour --operation Read --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'model' --topic 'attune.behaviour-profiles-changelog'
acl --allow-principal User:attune-behaviour --operation Write --topic 'recommendations' --topic 'send-times' --topic 'digests' --topic 'dead-letters' --topic 'erasure-receipts' --topic 'learning' --topic 'attune.behaviour-profiles-changelog'
acl --allow-principal User:attune-behaviour --operation Read --group 'attune.behaviour'
acl --allow-principal User:attune-behaviour --operation Describe --group 'attune.' --resource-pattern-type prefixed

# attune worker --role learner, and attune challenger
acl --allow-principal User:attune-learner --operation Read --topic 'learning' --topic 'model'
acl --allow-principal User:attune-learner --operation Write --topic 'model' --topic 'dead-letters'
acl --allow-principal User:attune-learner --operation Read --group 'attune.learner'
acl --allow-principal User:attune-learner --operation Describe --group 'attune.' --resource-pattern-type prefixed
acl --allow-principal User:attune-learner --operation Describe --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'recommendations' --topic 'send-times' --topic 'digests' --topic 'erasure-receipts' --topic 'attune.behaviour-profiles-changelog'

# attune worker --role sink
acl --allow-principal User:attune-sink --operation Read --topic 'recommendations' --topic 'send-times'
acl --allow-principal User:attune-sink --operation Read --group 'attune.sink'
acl --allow-principal User:attune-sink --operation Describe --group 'attune.' --resource-pattern-type prefixed
acl --allow-principal User:attune-sink --operation Describe --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'digests' --topic 'dead-letters' --topic 'erasure-receipts' --topic 'learning' --topic 'model' --topic 'attune.behaviour-profiles-changelog'

# attune serve
acl --allow-principal User:attune-api --operation Read --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'model' --topic 'recommendations' --topic 'erasure-receipts' --topic 'attune.behaviour-profiles-changelog'
acl --allow-principal User:attune-api --operation Write --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures'
acl --allow-principal User:attune-api --operation Describe --group 'attune.' --resource-pattern-type prefixed

# attune mailer
acl --allow-principal User:attune-mailer --operation Read --topic 'digests' --topic 'items' --topic 'users' --topic 'unsubscribes' --topic 'preferences' --topic 'applies' --topic 'sends' --topic 'erasures'
acl --allow-principal User:attune-mailer --operation Write --topic 'sends' --topic 'opens' --topic 'clicks' --topic 'unsubscribes' --topic 'preferences'
acl --allow-principal User:attune-mailer --operation Read --group 'attune.mailer'
acl --allow-principal User:attune-mailer --operation Describe --group 'attune.' --resource-pattern-type prefixed

# attune lag serve, with its probes
acl --allow-principal User:attune-lag --operation Read --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'recommendations' --topic 'send-times' --topic 'digests' --topic 'dead-letters' --topic 'erasure-receipts' --topic 'learning' --topic 'model' --topic 'attune.behaviour-profiles-changelog' --topic '__consumer_offsets'
acl --allow-principal User:attune-lag --operation Write --topic 'views'
acl --allow-principal User:attune-lag --operation Describe --group 'attune.' --resource-pattern-type prefixed
acl --allow-principal User:attune-lag --operation Describe --topic '*'
acl --allow-principal User:attune-lag --operation DescribeConfigs --topic '*'
acl --allow-principal User:attune-lag --operation Describe --group '*'
acl --allow-principal User:attune-lag --operation Describe --cluster

# attune console: looks, replays dead letters, erases
acl --allow-principal User:attune-console --operation Read --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'recommendations' --topic 'send-times' --topic 'digests' --topic 'dead-letters' --topic 'erasure-receipts' --topic 'learning' --topic 'model' --topic 'attune.behaviour-profiles-changelog' --topic '__consumer_offsets'
acl --allow-principal User:attune-console --operation Write --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures'
acl --allow-principal User:attune-console --operation Describe --group 'attune.' --resource-pattern-type prefixed
acl --allow-principal User:attune-console --operation Describe --topic '*'
acl --allow-principal User:attune-console --operation DescribeConfigs --topic '*'
acl --allow-principal User:attune-console --operation Describe --group '*'
acl --allow-principal User:attune-console --operation Describe --cluster

# attune topics create|check
acl --allow-principal User:attune-operator --operation Describe --topic '*'
acl --allow-principal User:attune-operator --operation DescribeConfigs --topic '*'
acl --allow-principal User:attune-operator --operation Describe --group '*'
acl --allow-principal User:attune-operator --operation Describe --cluster
acl --allow-principal User:attune-operator --operation Create --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'recommendations' --topic 'send-times' --topic 'digests' --topic 'dead-letters' --topic 'erasure-receipts' --topic 'learning' --topic 'model' --topic 'attune.behaviour-profiles-changelog'
acl --allow-principal User:attune-operator --operation Alter --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'recommendations' --topic 'send-times' --topic 'digests' --topic 'dead-letters' --topic 'erasure-receipts' --topic 'learning' --topic 'model' --topic 'attune.behaviour-profiles-changelog'
acl --allow-principal User:attune-operator --operation AlterConfigs --topic 'views' --topic 'saves' --topic 'applies' --topic 'opens' --topic 'clicks' --topic 'sends' --topic 'unsubscribes' --topic 'dismissals' --topic 'preferences' --topic 'searches' --topic 'impressions' --topic 'items' --topic 'users' --topic 'erasures' --topic 'recommendations' --topic 'send-times' --topic 'digests' --topic 'dead-letters' --topic 'erasure-receipts' --topic 'learning' --topic 'model' --topic 'attune.behaviour-profiles-changelog'
