package controller

// How a pod ends: its step's own words, read as the executor's reports to the controller.

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	apiv1 "k8s.io/api/core/v1"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/argoproj/argo-workflows/v4/workflow/common"
)

const (
	killed   = 143 // the exit code of a process that SIGTERM ends
	neverRan = 64  // that of a set's container whose dependency failed
	noNumber = 99  // that of a step whose words give no number
)

// words are what a step says of its own end.
type words map[string]string

func wordsOf(text string) words {
	said := words{}
	for _, part := range strings.Split(text, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			said[name] = value
		}
	}
	return said
}

func (said words) code() int {
	text, ok := said["x"]
	if !ok {
		return 0
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		return noNumber
	}
	return code
}

func lastOf(arguments []string) string {
	if len(arguments) == 0 {
		return ""
	}
	return arguments[len(arguments)-1]
}

func containers(template wfv1.Template) []string {
	if template.ContainerSet == nil {
		return []string{common.MainContainerName}
	}
	var names []string
	for _, one := range template.ContainerSet.Containers {
		names = append(names, one.Name)
	}
	return names
}

// ends gives what the main container says, and the exit code of each.
func ends(template wfv1.Template) (words, map[string]int) {
	said, codes := words{}, map[string]int{}
	switch {
	case template.Script != nil:
		said = wordsOf(template.Script.Source)
		codes[common.MainContainerName] = said.code()
	case template.Container != nil:
		said = wordsOf(lastOf(template.Container.Args))
		codes[common.MainContainerName] = said.code()
	case template.ContainerSet != nil:
		for _, one := range template.ContainerSet.Containers {
			its := wordsOf(lastOf(one.Args))
			codes[one.Name] = its.code()
			if slices.ContainsFunc(one.Dependencies, func(before string) bool { return codes[before] != 0 }) {
				codes[one.Name] = neverRan
			}
			if one.Name == common.MainContainerName {
				said = its
			}
		}
	}
	return said, codes
}

// reported is what an executor finds when its pod ends.
func reported(pod *apiv1.Pod, template wfv1.Template, said words) *wfv1.Outputs {
	outputs := &wfv1.Outputs{}
	for _, declared := range template.Outputs.Parameters {
		value, ok := said["o."+declared.Name]
		if !ok {
			if declared.ValueFrom == nil || declared.ValueFrom.Default == nil {
				continue
			}
			value = declared.ValueFrom.Default.String()
		}
		declared.Value = wfv1.AnyStringPtr(value)
		outputs.Parameters = append(outputs.Parameters, declared)
	}
	for _, declared := range template.Outputs.Artifacts {
		if _, made := said["a."+declared.Name]; made || !declared.Optional {
			if declared.S3 == nil {
				declared.S3 = &wfv1.S3Artifact{}
			}
			declared.S3.Key = pod.Name + "/" + declared.Name
			outputs.Artifacts = append(outputs.Artifacts, declared)
		}
	}
	if variable(pod, common.MainContainerName, common.EnvVarIncludeScriptOutput) == "true" {
		result := said["r"]
		outputs.Result = &result
	}
	return outputs
}

// takes is one second and a piece that the name decides, so that no two steps end together.
func takes(name string) time.Duration {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	return time.Second + time.Duration(hash.Sum32()%99991)*10*time.Microsecond
}

func lasts(pod *apiv1.Pod, template wfv1.Template) time.Duration {
	said, _ := ends(template)
	whole := takes(pod.Annotations[common.AnnotationKeyNodeName])
	if seconds, err := strconv.ParseFloat(said["d"], 64); err == nil && seconds > 0 {
		whole += time.Duration((seconds - 1) * float64(time.Second))
	}
	return whole
}

// templateOf is the step with everything filled in, as the pod's executor gets it.
func templateOf(pod *apiv1.Pod) (template wfv1.Template) {
	for _, container := range pod.Spec.InitContainers {
		if text := variable(pod, container.Name, common.EnvVarTemplate); text != "" {
			must(json.Unmarshal([]byte(text), &template))
			return template
		}
	}
	panic("a pod has no template: " + pod.Name)
}

func executorsDeadline(pod *apiv1.Pod) time.Time {
	text := variable(pod, common.WaitContainerName, common.EnvVarDeadline)
	if text == "" {
		return time.Time{}
	}
	due, err := time.Parse(time.RFC3339, text)
	must(err)
	return due
}

func variable(pod *apiv1.Pod, container, name string) string {
	for _, one := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		for _, set := range one.Env {
			if one.Name == container && set.Name == name {
				return set.Value
			}
		}
	}
	return ""
}
