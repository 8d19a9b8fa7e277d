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

{{/* A digest names an image exactly, so it goes before the tag. Takes image and tag (what to use without one). */}}
{{- define "isthmus.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .tag }}
{{- end -}}
{{- end }}

{{- define "isthmus.runtimeImage" -}}
{{- $image := .Values.runtime.image -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail "set runtime.image.tag or runtime.image.digest: the image of Route pods has no default, so that upgrading the chart restarts no Route" -}}
{{- end -}}
{{- include "isthmus.image" (dict "image" $image "tag" "") -}}
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
