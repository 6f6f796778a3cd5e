{{- define "ws.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Labels that never change: what selectors go by. Takes (list root component). */}}
{{- define "ws.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "ws.labels" -}}
{{- $root := index . 0 -}}
{{ include "ws.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{- define "ws.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "ws.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "ws.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What every pod has in common; takes (list root component). */}}
{{- define "ws.pod" -}}
{{- $root := index . 0 -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext: {{ include "ws.podSecurity" . | nindent 2 }}
{{- end }}

{{- define "ws.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Copies go to different nodes where they can. */}}
{{- define "ws.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "ws.selector" . | nindent 8 }}
{{- end }}

{{/* Variables of every service: Kafka, its login, names, log. */}}
{{- define "ws.env" -}}
{{- $kafka := .Values.kafka -}}
{{- $tls := has $kafka.securityProtocol (list "SSL" "SASL_SSL") -}}
{{- $sasl := hasPrefix "SASL_" $kafka.securityProtocol -}}
- {name: WIDGET_STREAMS_BOOTSTRAP_SERVERS, value: {{ $kafka.bootstrapServers | quote }}}
- {name: WIDGET_STREAMS_TOPIC_PREFIX, value: {{ $kafka.topicPrefix | quote }}}
- {name: WIDGET_STREAMS_GROUP, value: {{ $kafka.group | quote }}}
- {name: WIDGET_STREAMS_SECURITY_PROTOCOL, value: {{ $kafka.securityProtocol }}}
{{- if $sasl }}
- {name: WIDGET_STREAMS_SASL_MECHANISM, value: {{ $kafka.sasl.mechanism }}}
- {name: WIDGET_STREAMS_SASL_USERNAME, value: {{ $kafka.sasl.username | quote }}}
- {name: WIDGET_STREAMS_SASL_PASSWORD_FILE, value: /etc/widget-streams/kafka-password/{{ $kafka.sasl.passwordSecret.key }}}
{{- end }}
{{- if and $tls $kafka.tls.caSecret.name }}
- {name: WIDGET_STREAMS_SSL_CA_FILE, value: /etc/widget-streams/kafka-ca/{{ $kafka.tls.caSecret.key }}}
{{- end }}
{{- if and $tls $kafka.tls.clientSecret.name }}
- {name: WIDGET_STREAMS_SSL_CERT_FILE, value: /etc/widget-streams/kafka-client/{{ $kafka.tls.clientSecret.certKey }}}
- {name: WIDGET_STREAMS_SSL_KEY_FILE, value: /etc/widget-streams/kafka-client/{{ $kafka.tls.clientSecret.keyKey }}}
{{- end }}
- {name: WIDGET_STREAMS_LOG_LEVEL, value: {{ .Values.logLevel }}}
{{- range $name, $value := .Values.settings }}
- {name: WIDGET_STREAMS_{{ $name | upper }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{- define "ws.tokenEnv" -}}
- {name: WIDGET_STREAMS_TOKEN_KEY_FILE, value: /etc/widget-streams/token-key/{{ .Values.tokenKey.secret.key }}}
- {name: WIDGET_STREAMS_TOKEN_KEY_VERSION, value: {{ .Values.tokenKey.version | toString | quote }}}
{{- end }}

{{/* One secret as a volume; takes (list volume-name secret-name). */}}
{{- define "ws.secretVolume" -}}
- name: {{ index . 0 }}
  secret: {secretName: {{ index . 1 }}, defaultMode: 0440}
{{- end }}

{{- define "ws.volumes" -}}
{{- $kafka := .Values.kafka -}}
{{- $tls := has $kafka.securityProtocol (list "SSL" "SASL_SSL") -}}
- name: tmp
  emptyDir: {medium: Memory, sizeLimit: 16Mi}
{{- if hasPrefix "SASL_" $kafka.securityProtocol }}
{{ include "ws.secretVolume" (list "kafka-password" $kafka.sasl.passwordSecret.name) }}
{{- end }}
{{- if and $tls $kafka.tls.caSecret.name }}
{{ include "ws.secretVolume" (list "kafka-ca" $kafka.tls.caSecret.name) }}
{{- end }}
{{- if and $tls $kafka.tls.clientSecret.name }}
{{ include "ws.secretVolume" (list "kafka-client" $kafka.tls.clientSecret.name) }}
{{- end }}
{{- end }}

{{- define "ws.mounts" -}}
{{- $kafka := .Values.kafka -}}
{{- $tls := has $kafka.securityProtocol (list "SSL" "SASL_SSL") -}}
- {name: tmp, mountPath: /tmp}
{{- if hasPrefix "SASL_" $kafka.securityProtocol }}
- {name: kafka-password, mountPath: /etc/widget-streams/kafka-password, readOnly: true}
{{- end }}
{{- if and $tls $kafka.tls.caSecret.name }}
- {name: kafka-ca, mountPath: /etc/widget-streams/kafka-ca, readOnly: true}
{{- end }}
{{- if and $tls $kafka.tls.clientSecret.name }}
- {name: kafka-client, mountPath: /etc/widget-streams/kafka-client, readOnly: true}
{{- end }}
{{- end }}
