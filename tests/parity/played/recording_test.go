package controller

// What became of a workflow, in the form of tests/parity/recordings.

import (
	"maps"
	"slices"
	"time"

	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
)

// recording is one workflow's; where Crash or Refused is set, nothing else is.
type recording struct {
	Crash    string              `json:"controllerCrash,omitempty"`
	Refused  string              `json:"refused,omitempty"`
	Workflow string              `json:"workflow,omitempty"`
	Start    string              `json:"start,omitempty"`
	Timeout  bool                `json:"timeout,omitempty"` // it never ended
	Phase    wfv1.WorkflowPhase  `json:"phase,omitempty"`
	Message  string              `json:"message,omitempty"`
	Outputs  *recordedOutputs    `json:"outputs,omitempty"`
	Nodes    map[string]nodeSeen `json:"nodes,omitempty"`
}

type nodeSeen struct {
	DisplayName       string             `json:"displayName"`
	Type              wfv1.NodeType      `json:"type"`
	Phase             wfv1.NodePhase     `json:"phase"`
	Message           string             `json:"message,omitempty"`
	TemplateName      string             `json:"templateName,omitempty"`
	TemplateRef       map[string]string  `json:"templateRef,omitempty"`
	BoundaryName      string             `json:"boundaryName,omitempty"`
	Children          []string           `json:"children,omitempty"`
	OutboundNodes     []string           `json:"outboundNodes,omitempty"`
	Inputs            []recordedValue    `json:"inputs,omitempty"`
	InputArtifacts    []string           `json:"inputArtifacts,omitempty"`
	Outputs           *recordedOutputs   `json:"outputs,omitempty"`
	NodeFlag          map[string]bool    `json:"nodeFlag,omitempty"`
	MemoizationStatus *memoizationStatus `json:"memoizationStatus,omitempty"`
}

type recordedValue struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
}

type recordedOutputs struct {
	Parameters []recordedValue `json:"parameters,omitempty"`
	Result     *string         `json:"result,omitempty"`
	ExitCode   *string         `json:"exitCode,omitempty"`
	Artifacts  []string        `json:"artifacts,omitempty"`
}

type memoizationStatus struct {
	Hit       bool   `json:"hit"`
	Key       string `json:"key"`
	CacheName string `json:"cacheName"`
}

func (one *played) recorded() recording {
	status := one.woc.wf.Status
	made := recording{
		Workflow: one.woc.wf.Name,
		Start:    one.start.UTC().Format(time.RFC3339),
		Timeout:  !status.Phase.Completed(),
		Phase:    status.Phase,
		Message:  status.Message,
		Outputs:  outputsSeen(status.Outputs),
		Nodes:    map[string]nodeSeen{},
	}
	for _, node := range status.Nodes {
		made.Nodes[node.Name] = seen(node, status.Nodes)
	}
	return made
}

func seen(node wfv1.NodeStatus, nodes wfv1.Nodes) nodeSeen {
	made := nodeSeen{
		DisplayName:   node.DisplayName,
		Type:          node.Type,
		Phase:         node.Phase,
		Message:       node.Message,
		TemplateName:  node.TemplateName,
		Children:      namesOf(node.Children, nodes),
		OutboundNodes: namesOf(node.OutboundNodes, nodes),
		Outputs:       outputsSeen(node.Outputs),
		NodeFlag:      map[string]bool{},
	}
	if node.BoundaryID != "" {
		made.BoundaryName = namesOf([]string{node.BoundaryID}, nodes)[0]
	}
	if ref := node.TemplateRef; ref != nil {
		made.TemplateRef = map[string]string{"name": ref.Name, "template": ref.Template}
	}
	if node.Inputs != nil {
		made.Inputs = values(node.Inputs.Parameters)
		made.InputArtifacts = artifacts(node.Inputs.Artifacts)
	}
	if flag := node.NodeFlag; flag != nil {
		made.NodeFlag = map[string]bool{"hooked": flag.Hooked, "retried": flag.Retried}
		maps.DeleteFunc(made.NodeFlag, func(_ string, set bool) bool { return !set })
	}
	if memo := node.MemoizationStatus; memo != nil {
		made.MemoizationStatus = &memoizationStatus{memo.Hit, memo.Key, memo.CacheName}
	}
	return made
}

// namesOf gives the names of the nodes with these ids, without those that Argo named and never made.
func namesOf(ids []string, nodes wfv1.Nodes) []string {
	var made []string
	for _, id := range ids {
		if node, ok := nodes[id]; ok {
			made = append(made, node.Name)
		}
	}
	slices.Sort(made)
	return made
}

func outputsSeen(outputs *wfv1.Outputs) *recordedOutputs {
	if outputs == nil {
		return nil
	}
	return &recordedOutputs{values(outputs.Parameters), outputs.Result, outputs.ExitCode, artifacts(outputs.Artifacts)}
}

func values(parameters []wfv1.Parameter) []recordedValue {
	var made []recordedValue
	for _, one := range parameters {
		var value *string
		if one.Value != nil {
			text := one.Value.String()
			value = &text
		}
		made = append(made, recordedValue{one.Name, value})
	}
	return made
}

func artifacts(all []wfv1.Artifact) []string {
	var made []string
	for _, one := range all {
		made = append(made, one.Name)
	}
	slices.Sort(made)
	return made
}
