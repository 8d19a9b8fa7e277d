{{/* First part of all names: the release's, with "isthmus" in it. Leaves room for "-operator-metrics". */}}
{{- define "isthmus.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "isthmus.operator" -}}
{{ include "isthmus.fullname" . }}-operator
{{- end }}

{{- define "isthmus.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "isthmus.operator" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | required "set serviceAccount.name, or leave serviceAccount.create true" -}}
{{- end -}}
{{- end }}

{{/* What selects the operator's pods. Never changed: a Deployment's selector is immutable. */}}
{{- define "isthmus.selector" -}}
app.kubernetes.io/component: operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ .Chart.Name }}
{{- end }}

{{- define "isthmus.testSelector" -}}
app.kubernetes.io/component: test
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ .Chart.Name }}
{{- end }}

{{/* Labels of every object. Ours win over those of the values. */}}
{{- define "isthmus.labels" -}}
{{- $ours := dict
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/name" .Chart.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
-}}
{{- toYaml (merge $ours .Values.labels) -}}
{{- end }}

{{/* Labels and annotations of an object of the chart. */}}
{{- define "isthmus.metadata" -}}
labels:
  {{- include "isthmus.labels" . | nindent 2 }}
{{- with .Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The same for an object that a Prometheus finds by labels. Takes root and labels. */}}
{{- define "isthmus.monitoring" -}}
labels:
  {{- toYaml (merge (include "isthmus.labels" .root | fromYaml) .labels) | nindent 2 }}
{{- with .root.Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
An image as pods name it. A digest names an image exactly, so it goes before the tag. The registry of
all images takes the place of the one in the name, which is a first part that has a dot or a port, or is
"localhost". Takes root, image, and tag: what to use without one.
*/}}
{{- define "isthmus.image" -}}
{{- $name := .image.repository -}}
{{- with .root.Values.global.imageRegistry -}}
{{- $name = printf "%s/%s" . (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" $name "") -}}
{{- end -}}
{{- if .image.digest -}}
{{ $name }}@{{ .image.digest }}
{{- else -}}
{{ $name }}:{{ .image.tag | default .tag }}
{{- end -}}
{{- end }}

{{- define "isthmus.operatorImage" -}}
{{ include "isthmus.image" (dict "root" . "image" .Values.image "tag" .Chart.AppVersion) }}
{{- end }}

{{- define "isthmus.runtimeImage" -}}
{{- $image := .Values.runtime.image -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail "set runtime.image.tag or runtime.image.digest: the image of Route pods has no default, so that upgrading the chart restarts no Route" -}}
{{- end -}}
{{- include "isthmus.image" (dict "root" . "image" $image "tag" "") -}}
{{- end }}

{{/* What Routes' pods have by default, as JSON; empty where the values say nothing. */}}
{{- define "isthmus.podTemplate" -}}
{{- $said := dict -}}
{{- range $field, $value := .Values.runtime.podTemplate -}}
{{- if $value -}}{{- $_ := set $said $field $value -}}{{- end -}}
{{- end -}}
{{- with $said -}}{{ toJson . }}{{- end -}}
{{- end }}

{{- define "isthmus.journal" -}}
{{ include "isthmus.fullname" . }}-journal
{{- end }}

{{- define "isthmus.journalSelector" -}}
app.kubernetes.io/component: journal
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ .Chart.Name }}
{{- end }}

{{/* SECRET/KEY that holds the address of the journal, for the operator; empty where there is none. */}}
{{- define "isthmus.journalSecret" -}}
{{- $given := .Values.journal.postgres.secretName -}}
{{- if .Values.journal.embedded.enabled -}}
{{- if $given -}}
{{- fail "journal.postgres.secretName and journal.embedded.enabled are both set: leave one of them" -}}
{{- end -}}
{{ include "isthmus.journal" . }}/dsn
{{- else if $given -}}
{{ $given }}/{{ .Values.journal.postgres.secretKey }}
{{- end -}}
{{- end }}

{{/*
The password of the embedded journal. Made anew each time that it is asked for, where there is none yet:
ask once. A release namespace that is not there yet is made by who may see all of them.
*/}}
{{- define "isthmus.journalPassword" -}}
{{- $kept := lookup "v1" "Secret" .Release.Namespace (include "isthmus.journal" .) -}}
{{- if .Values.journal.embedded.password -}}
{{ .Values.journal.embedded.password }}
{{- else if $kept -}}
{{ $kept.data.password | b64dec }}
{{- else if or (lookup "v1" "Namespace" "" .Release.Namespace) (lookup "v1" "Namespace" "" "kube-system") -}}
{{ randAlphaNum 32 }}
{{- else -}}
{{- fail "set journal.embedded.password: the chart is rendered without a cluster, so a password that Helm makes would be another one each time" -}}
{{- end -}}
{{- end }}

{{/* What pods of the operator's image have, where they run, and as whom. */}}
{{- define "isthmus.pod" -}}
# A Service named isthmus would otherwise set variables that begin like ours.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What a container of the operator's image may use and do. */}}
{{- define "isthmus.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The settings of the operator, as variables. */}}
{{- define "isthmus.environment" -}}
- name: ISTHMUS_RUNTIME_IMAGE
  value: {{ include "isthmus.runtimeImage" . | quote }}
- name: ISTHMUS_RUNTIME_PULL_POLICY
  value: {{ .Values.runtime.image.pullPolicy }}
- name: ISTHMUS_RUNTIME_POD_TEMPLATE
  value: {{ include "isthmus.podTemplate" . | quote }}
- name: ISTHMUS_NAMESPACES
  value: {{ join "," .Values.watch.namespaces | quote }}
- name: ISTHMUS_LEASE
  value: {{ .Values.lease.name }}
- name: ISTHMUS_POD
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: ISTHMUS_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: ISTHMUS_PORT
  value: "9090"
- name: ISTHMUS_WORKERS
  value: {{ .Values.workers | quote }}
- name: ISTHMUS_GATEWAY
  value: {{ .Values.gateway | quote }}
- name: ISTHMUS_JOURNAL_SECRET
  value: {{ include "isthmus.journalSecret" . | quote }}
- name: ISTHMUS_JOURNAL_PORT
  value: {{ ternary 5432 .Values.journal.postgres.port .Values.journal.embedded.enabled | quote }}
- name: ISTHMUS_CLAIM_SECONDS
  value: {{ .Values.journal.claimSeconds | quote }}
{{- end }}

{{/* What the operator may do where it watches. Nothing on Secrets: pods mount what they need. */}}
{{- define "isthmus.rules" -}}
- apiGroups: [isthmus.dev]
  resources: [connectors, mappings, routes]
  verbs: [get, list, watch]
- apiGroups: [isthmus.dev]
  resources: [connectors/status, mappings/status, routes/status]
  verbs: [get, patch, update]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "isthmus.subjects" -}}
- kind: ServiceAccount
  name: {{ include "isthmus.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
